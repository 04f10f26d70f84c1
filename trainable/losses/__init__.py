"""The family of losses: how far predictions are from soft targets, a table of contents."""

from typing import Annotated

from pydantic import Field

from trainable.losses.cross_entropy import CrossEntropy
from trainable.losses.f1 import SoftF1
from trainable.losses.focal import Focal
from trainable.losses.focal_label_smoothing import FocalLabelSmoothing
from trainable.losses.label_smoothing import LabelSmoothing

Loss = Annotated[
    CrossEntropy | Focal | LabelSmoothing | FocalLabelSmoothing | SoftF1,
    Field(discriminator="name"),
]

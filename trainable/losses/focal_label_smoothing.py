"""Focal loss with label smoothing."""

from functools import partial
from typing import Literal

from pydantic import Field
from torch import Tensor

from trainable.losses.base import LossFn, LossPart, in_full_precision
from trainable.losses.focal import focal_loss
from trainable.losses.label_smoothing import smooth


class FocalLabelSmoothing(LossPart):
    """Focal loss with smoothed labels: easy images weigh less, none is fitted to certainty."""

    name: Literal["focal_label_smoothing"] = "focal_label_smoothing"
    gamma: float = Field(2.0, gt=0, le=10)
    smoothing: float = Field(0.1, gt=0, lt=1)

    def build(self) -> LossFn:
        """Return ``focal_label_smoothing_loss`` with this gamma and smoothing."""
        return partial(focal_label_smoothing_loss, gamma=self.gamma, smoothing=self.smoothing)


@in_full_precision
def focal_label_smoothing_loss(
    logits_NC: Tensor, targets_NC: Tensor, *, gamma: float, smoothing: float
) -> Tensor:
    """Return the focal loss against smoothed targets.

    Args:
        logits_NC: Logits or log-probabilities, float [num_images, num_classes].
        targets_NC: Soft targets, float [num_images, num_classes], rows sum to 1.
        gamma: How much less easy images weigh, from 0 (cross-entropy).
        smoothing: Share of each target that goes evenly to all classes, in [0, 1).

    Returns:
        Scalar of at least float32.
    """
    return focal_loss(logits_NC, smooth(targets_NC, smoothing), gamma=gamma)

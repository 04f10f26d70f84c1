"""Augmentations: random changes of training images that keep their class."""

from typing import Annotated

from pydantic import Field

from trainable.augmentations.custom import Custom
from trainable.augmentations.presets import (
    AlwaysGray,
    BaseAugmentation,
    Contrast,
    NoAugmentation,
    NoHue,
    NoHueContrast,
    Noise,
    RandomGray,
)

Augmentation = Annotated[
    NoAugmentation
    | BaseAugmentation
    | NoHue
    | Contrast
    | NoHueContrast
    | RandomGray
    | AlwaysGray
    | Noise
    | Custom,
    Field(discriminator="name"),
]

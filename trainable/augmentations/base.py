"""What every augmentation has in common: uint8 RGB [H, W, 3] in and out, never resized."""

import random
from abc import abstractmethod
from collections.abc import Mapping
from typing import Protocol

import numpy as np

from trainable.part import Part


class Pipeline(Protocol):
    """Changes images at random; albumentations' ``Compose`` is one."""

    def set_random_state(
        self, generator: np.random.Generator, python_random: random.Random
    ) -> None:
        """Take the sources of all randomness of the next image."""

    def __call__(self, *, image: np.ndarray) -> Mapping[str, np.ndarray]:
        """Return a changed copy of an image, uint8 RGB [H, W, 3], under ``image``."""


class AugmentationPart(Part):
    """An augmentation of training images."""

    @abstractmethod
    def build(self, size: tuple[int, int]) -> Pipeline | None:
        """Return the pipeline for images of this height and width, None if it does nothing."""

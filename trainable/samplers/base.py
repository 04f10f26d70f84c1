"""What every sampler is: the training images of an epoch as a function of seed and epoch."""

from abc import abstractmethod
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from trainable.part import Part


class Sampler(Protocol):
    """Says which images an epoch sees, and in which order."""

    def draw(self, epoch: int) -> NDArray[np.int64]:
        """Return positions into the labels, int64 [num_train]; same epoch, same positions."""


class SamplerPart(Part):
    """A sampler of the search."""

    @abstractmethod
    def build(self, labels: NDArray[np.int64], *, num_classes: int, seed: int) -> Sampler:
        """Return the sampler of one training part.

        Args:
            labels: Class numbers of the training images alone, int64 [num_train].
            num_classes: Number of classes, those without a training image included.
            seed: The trial's seed.
        """

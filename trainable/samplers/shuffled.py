"""Every training image once an epoch."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from trainable.samplers.base import Sampler, SamplerPart


class PlainSampling(SamplerPart):
    """Every image once an epoch, in a new random order each time."""

    name: Literal["none"] = "none"

    def build(
        self,
        labels: NDArray[np.int64],
        *,
        num_classes: int,  # noqa: ARG002  the family's signature
        seed: int,
    ) -> Sampler:
        """Return a sampler that shuffles."""
        return ShuffledSampler(len(labels), seed)


@dataclass(frozen=True)
class ShuffledSampler:
    """Draws a permutation.

    Args:
        num_images: Number of training images.
        seed: The trial's seed.
    """

    num_images: int
    seed: int

    def draw(self, epoch: int) -> NDArray[np.int64]:
        """Return every position once, int64 [num_images]."""
        return np.random.default_rng([self.seed, epoch]).permutation(self.num_images)

"""Rare classes more often: draws with replacement, an image's chance set by its class."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from trainable.samplers.base import Sampler, SamplerPart


class WeightedSampling(SamplerPart):
    """Images of rare classes more often, by the inverse of their class's frequency to a power."""

    name: Literal["weighted"] = "weighted"
    power: float = Field(0.5, gt=0, le=2)

    def build(self, labels: NDArray[np.int64], *, num_classes: int, seed: int) -> Sampler:
        """Return a sampler with weights of this power."""
        return ReplacingSampler(image_chances(labels, num_classes, power=self.power), seed)


class ImbalancedSampling(SamplerPart):
    """Every class equally often, however few images it has."""

    name: Literal["imbalanced"] = "imbalanced"

    def build(self, labels: NDArray[np.int64], *, num_classes: int, seed: int) -> Sampler:
        """Return a sampler under which every class with an image is equally likely."""
        return ReplacingSampler(image_chances(labels, num_classes, power=1.0), seed)


@dataclass(frozen=True, eq=False)
class ReplacingSampler:
    """Draws with replacement.

    Args:
        chances: Chance of each image in every draw, float64 [num_train], sum 1.
        seed: The trial's seed.
    """

    chances: NDArray[np.float64]
    seed: int

    def draw(self, epoch: int) -> NDArray[np.int64]:
        """Return as many positions as there are images, some several times, some never."""
        generator = np.random.default_rng([self.seed, epoch])
        return generator.choice(len(self.chances), size=len(self.chances), p=self.chances)


def image_chances(
    labels: NDArray[np.int64], num_classes: int, *, power: float
) -> NDArray[np.float64]:
    """Return each image's chance, proportional to ``(1 / images of its class) ** power``.

    Power 0 makes every image equally likely, power 1 every class. A class without an image
    takes no part.

    Args:
        labels: Class numbers of the training images alone, int64 [num_train].
        num_classes: Number of classes.
        power: How strongly rarity counts.

    Returns:
        Chances, float64 [num_train], sum 1.

    Example:
        >>> image_chances(np.array([2, 2, 0]), 3, power=1.0)
        array([0.25, 0.25, 0.5 ])
    """
    images_by_class = np.bincount(labels, minlength=num_classes)
    weights = images_by_class[labels].astype(np.float64) ** -power
    chances: NDArray[np.float64] = weights / weights.sum()
    return chances

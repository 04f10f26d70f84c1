"""Probabilities of many candidates, laid out so that all of them are worked on at once."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

IMAGES_AT_A_TIME = 16


@dataclass(frozen=True)
class Stack:
    """Class probabilities of the same images by many candidates.

    The candidate comes last: what all of them say of one image and class lies side by side.

    Args:
        probabilities: float32 [num_images, num_classes, num_candidates], in [0, 1].
    """

    probabilities: np.ndarray

    @classmethod
    def of(cls, candidates: Iterable[np.ndarray]) -> "Stack":
        """Return the stack of candidates, each float32 [num_images, num_classes]."""
        votes = [*candidates]
        stacked = np.empty((*votes[0].shape, len(votes)), np.float32)
        # A few images at a time stay in a core's cache while their order is turned round.
        for start in range(0, len(stacked), IMAGES_AT_A_TIME):
            piece = slice(start, start + IMAGES_AT_A_TIME)
            stacked[piece] = np.stack([vote[piece] for vote in votes]).transpose(1, 2, 0)
        return cls(stacked)

    @property
    def num_candidates(self) -> int:
        """Return the number of candidates."""
        return int(self.probabilities.shape[2])

    @cached_property
    def highest(self) -> np.ndarray:
        """The highest probability that any candidate gives, float32 [num_images, num_classes]."""
        return np.asarray(self.probabilities.max(axis=2))

    @cached_property
    def lowest(self) -> np.ndarray:
        """The lowest probability that any candidate gives, float32 [num_images, num_classes]."""
        return np.asarray(self.probabilities.min(axis=2))

    def candidates(self, numbers: np.ndarray) -> "Stack":
        """Return some of the candidates."""
        return Stack(np.ascontiguousarray(self.probabilities[:, :, numbers]))

    def images(self, images: np.ndarray) -> "Stack":
        """Return some of the images, given by number or as a mask."""
        return Stack(self.probabilities[images])

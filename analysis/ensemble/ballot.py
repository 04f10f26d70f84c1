"""What a selection sees of the candidates: their votes, what they cost, how averages score."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from analysis.estimates.labelled import Labelled
from analysis.estimates.metric import VALIDATION, scorer
from analysis.estimates.scorer import Scorer
from analysis.estimates.stack import Stack
from trainable.objective import Objective


@dataclass(frozen=True)
class Ballot:
    """Candidates to select from, by number.

    Args:
        stack: Their probabilities of some images.
        images: The images.
        metric: What is optimised, without part, such as ``f1``.
        backbones: Name of each candidate's backbone.
        costs_ms: Milliseconds that each takes for an image; empty where nobody asks.
    """

    stack: Stack
    images: Labelled
    metric: str
    backbones: tuple[str, ...]
    costs_ms: tuple[float, ...] = ()

    def __len__(self) -> int:
        """Return the number of candidates."""
        return self.stack.num_candidates

    @property
    def sign(self) -> int:
        """Return what to multiply the metric by so that larger is better."""
        return Objective(VALIDATION + self.metric).sign

    @cached_property
    def goodness_of_each(self) -> np.ndarray:
        """The metric of each candidate by itself, signed so that larger is better, float64."""
        return self._comparable(self._scorer.of_each(self.stack))

    @cached_property
    def best_first(self) -> np.ndarray:
        """Numbers of the candidates, best first; equally good ones in their order."""
        return np.argsort(-self.goodness_of_each, kind="stable")

    def added(self, total_NC: np.ndarray, num_votes: int, numbers: np.ndarray) -> np.ndarray:
        """Return the goodness of an average to which each of some candidates is added.

        Args:
            total_NC: float32 [num_images, num_classes], the sum of the votes so far.
            num_votes: How many these are.
            numbers: int64 [n], candidates.

        Returns:
            float64 [n], larger is better.
        """
        if 2 * len(numbers) < len(self):
            values = self._scorer.added(total_NC, num_votes, self.stack.candidates(numbers))
        else:
            values = self._scorer.added(total_NC, num_votes, self.stack)[numbers]
        return self._comparable(values)

    def goodness(self, averages_NCK: np.ndarray) -> np.ndarray:
        """Return the goodness of averages, float64 [num_averages]; the average comes last."""
        return self._comparable(self._scorer.of_each(Stack(averages_NCK)))

    def votes(self, number: int) -> np.ndarray:
        """Return the probabilities of a candidate, float32 [num_images, num_classes]."""
        return self.stack.probabilities[:, :, number]

    def average(self, weights: Mapping[int, float]) -> np.ndarray:
        """Return the weighted average of some candidates, float32 [num_images, num_classes]."""
        return sum(
            (np.float32(weight) * self.votes(number) for number, weight in weights.items()),
            np.zeros(self.stack.probabilities.shape[:2], np.float32),
        )

    def cost_ms(self, members: Collection[int]) -> float:
        """Return what some candidates take together for an image; 0 where costs are unknown."""
        return sum(self.costs_ms[number] for number in members) if self.costs_ms else 0.0

    def on(self, images: np.ndarray) -> "Ballot":
        """Return the same candidates on some of the images, given as a mask."""
        return Ballot(
            self.stack.images(images),
            self.images.subset(images),
            self.metric,
            self.backbones,
            self.costs_ms,
        )

    def of(self, numbers: np.ndarray) -> "Ballot":
        """Return some of the candidates, numbered anew."""
        return Ballot(
            self.stack.candidates(numbers),
            self.images,
            self.metric,
            tuple(self.backbones[number] for number in numbers),
            tuple(self.costs_ms[number] for number in numbers) if self.costs_ms else (),
        )

    @cached_property
    def _scorer(self) -> Scorer:
        return scorer(self.metric, self.images)

    def _comparable(self, values: np.ndarray) -> np.ndarray:
        """Sign values; one that is missing is the worst."""
        return np.asarray(np.nan_to_num(self.sign * values, nan=-np.inf))

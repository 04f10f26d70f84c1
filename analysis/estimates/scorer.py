"""What a scorer is: the same metric of many predictions at once."""

from abc import ABC, abstractmethod

import numpy as np

from analysis.estimates.stack import Stack


class Scorer(ABC):
    """A metric of one set of images."""

    @abstractmethod
    def added(self, total_NC: np.ndarray, num_votes: int, stack: Stack) -> np.ndarray:
        """Return the metric of an average to which each candidate is added by itself.

        Args:
            total_NC: float32 [num_images, num_classes], the sum of the probabilities so far.
            num_votes: How many it is the sum of.
            stack: The candidates.

        Returns:
            float64 [num_candidates]; NaN where the metric has no value.
        """

    @abstractmethod
    def resampled(self, probabilities_NC: np.ndarray, weights_RP: np.ndarray) -> np.ndarray:
        """Return the metric of one set of predictions, people weighing more or less.

        Args:
            probabilities_NC: float32 [num_images, num_classes].
            weights_RP: float32 [num_resamples, num_people], what each person counts for.

        Returns:
            float64 [num_resamples]; NaN where the metric has no value.
        """

    def of_each(self, stack: Stack) -> np.ndarray:
        """Return the metric of every candidate, float64 [num_candidates]."""
        return self.added(np.zeros(stack.probabilities.shape[:2], np.float32), 0, stack)

    def of(self, probabilities_NC: np.ndarray) -> float:
        """Return the metric of one set of predictions."""
        return float(self.of_each(Stack(probabilities_NC[:, :, None]))[0])

"""Intervals of metrics, from the people of a part drawn again and again."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from analysis.estimates.labelled import Labelled
from analysis.estimates.metric import scorer
from analysis.estimates.people import resample_weights

CONFIDENCE = 0.9
NUM_RESAMPLES = 1_000
Interval = tuple[float, float]


class Resamples:
    """The same resamples of a part's people for every prediction, so that differences count.

    Args:
        images: The part.
        num_resamples: How many resamples.
        seed: Of the draws.
    """

    def __init__(
        self, images: Labelled, *, num_resamples: int = NUM_RESAMPLES, seed: int = 0
    ) -> None:
        self.images = images
        self._num_resamples = num_resamples
        self._seed = seed

    def values(self, metric: str, probabilities_NC: np.ndarray) -> np.ndarray:
        """Return a metric of predictions in each resample, float64 [num_resamples]."""
        return scorer(metric, self.images).resampled(probabilities_NC, self._weights)

    def interval(self, metric: str, probabilities_NC: np.ndarray) -> Interval:
        """Return the interval of a metric of predictions."""
        return interval(self.values(metric, probabilities_NC))

    def interval_of_mean(self, metric: str, repeats: Sequence[np.ndarray]) -> Interval:
        """Return the interval of a metric averaged over several sets of predictions."""
        return interval(np.mean([self.values(metric, of_one) for of_one in repeats], axis=0))

    def interval_of_gain(
        self, metric: str, probabilities_NC: np.ndarray, than_NC: np.ndarray
    ) -> Interval:
        """Return the interval of how much higher a metric of predictions is than of others."""
        return interval(self.values(metric, probabilities_NC) - self.values(metric, than_NC))

    @cached_property
    def _weights(self) -> np.ndarray:
        return resample_weights(self.images, num_resamples=self._num_resamples, seed=self._seed)


def interval(values_R: np.ndarray) -> Interval:
    """Return the middle 90 % of the resampled values that there are.

    References:
        Efron 1979, Bootstrap methods: another look at the jackknife.

    Example:
        >>> interval(np.arange(101.0))
        (5.0, 95.0)
    """
    tail = (1 - CONFIDENCE) / 2
    low, high = np.nanquantile(values_R, [tail, 1 - tail]).round(12).tolist()
    return low, high

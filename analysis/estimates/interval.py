"""Intervals of metrics, from the people of a part drawn again and again."""

import math
from collections.abc import Sequence
from functools import cached_property
from statistics import NormalDist

import numpy as np

from analysis.estimates.labelled import Labelled
from analysis.estimates.metric import scorer
from analysis.estimates.people import resample_weights

CONFIDENCE = 0.9
TAIL = (1 - CONFIDENCE) / 2
NUM_RESAMPLES = 1_000
# How skewed a metric is shows as well with people left out in so many groups.
MOST_GROUPS = 200
# As near to 0 and 1 as a thousand resamples tell a share.
SMALLEST_SHARE = 1e-3
NORMAL = NormalDist()
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

    def interval(self, metric: str, probabilities_NC: np.ndarray) -> Interval:
        """Return the interval of a metric of predictions; NaN where the metric has no value."""
        return self._corrected(self._values(metric, probabilities_NC))

    def interval_of_mean(self, metric: str, repeats: Sequence[np.ndarray]) -> Interval:
        """Return the interval of a metric averaged over several sets of predictions."""
        return self._corrected(np.mean([self._values(metric, of) for of in repeats], axis=0))

    def interval_of_gain(
        self, metric: str, probabilities_NC: np.ndarray, than_NC: np.ndarray
    ) -> Interval:
        """Return the interval of how much higher a metric of predictions is than of others."""
        gain = self._values(metric, probabilities_NC) - self._values(metric, than_NC)
        return self._corrected(gain)

    def _values(self, metric: str, probabilities_NC: np.ndarray) -> np.ndarray:
        """Return a metric for each row of ``_weights``."""
        return scorer(metric, self.images).resampled(probabilities_NC, self._weights)

    def _corrected(self, values: np.ndarray) -> Interval:
        resampled, without = values[1 : 1 + self._num_resamples], values[1 + self._num_resamples :]
        return corrected_interval(resampled, estimate=float(values[0]), left_out_G=without)

    @cached_property
    def _weights(self) -> np.ndarray:
        """What each person counts for: of all, of the resamples, of all but a group in turn."""
        number = self.images.num_people
        drawn = resample_weights(self.images, num_resamples=self._num_resamples, seed=self._seed)
        group_P = np.arange(number) % MOST_GROUPS
        groups_G = np.arange(min(number, MOST_GROUPS) if number > 1 else 0)
        left_out = group_P != groups_G[:, None]
        return np.concatenate([np.ones((1, number)), drawn, left_out]).astype(np.float32)


def corrected_interval(
    values_R: np.ndarray, *, estimate: float, left_out_G: np.ndarray
) -> Interval:
    """Return the 90 % interval of a metric, bias-corrected and accelerated (BCa).

    A macro F1 of few people per class is lower in resamples, on average, than it is of all, as
    these are lower than the truth: the middle of the resampled values lies too low. Instead of
    5 % and 95 % the quantiles are taken that put the estimate in the middle, further apart on
    the side where the metric's spread grows.

    Args:
        values_R: The metric in each resample; those that are missing are passed over.
        estimate: The metric of all people.
        left_out_G: The metric without each person, or each group of people, in turn.

    References:
        Efron 1987, Better bootstrap confidence intervals.

    Example:
        >>> corrected_interval(np.arange(101.0), estimate=50.0, left_out_G=np.zeros(2))
        (5.0, 95.0)
    """
    values_R = values_R[np.isfinite(values_R)]
    if not len(values_R) or not math.isfinite(estimate):
        return math.nan, math.nan
    below = (np.mean(values_R < estimate) + np.mean(values_R <= estimate)) / 2
    bias = NORMAL.inv_cdf(min(max(float(below), SMALLEST_SHARE), 1 - SMALLEST_SHARE))
    acceleration = _acceleration(left_out_G[np.isfinite(left_out_G)])
    shares = [_corrected_share(tail, bias, acceleration) for tail in (TAIL, 1 - TAIL)]
    low, high = np.quantile(values_R, shares).round(12).tolist()
    return low, high


def _corrected_share(share: float, bias: float, acceleration: float) -> float:
    moved = bias + NORMAL.inv_cdf(share)
    return NORMAL.cdf(bias + moved / (1 - acceleration * moved))


def _acceleration(left_out_G: np.ndarray) -> float:
    """Return a sixth of the skewness of what each group of people adds; 0 where none does."""
    added_G = left_out_G.mean() - left_out_G if len(left_out_G) else left_out_G
    spread = float((added_G**2).sum())
    return float((added_G**3).sum()) / (6 * spread**1.5) if spread else 0.0


def interval(values_R: np.ndarray) -> Interval:
    """Return the middle 90 % of the resampled values that there are.

    References:
        Efron 1979, Bootstrap methods: another look at the jackknife.

    Example:
        >>> interval(np.arange(101.0))
        (5.0, 95.0)
    """
    low, high = np.nanquantile(values_R, [TAIL, 1 - TAIL]).round(12).tolist()
    return low, high

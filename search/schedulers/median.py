"""The median stopping rule: at every epoch, a trial below the middle of the others ends."""

from statistics import fmean, median
from typing import ClassVar

from search.schedulers.base import Scheduler

FEWEST_OTHERS = 3


class Median(Scheduler):
    """Stops a trial whose best value so far is below the median of the others' running averages.

    The others are those that have done as many epochs, at least three. An average is that of
    all epochs up to the trial's, from the end of the other's own grace on.

    Args:
        grace_period: Epochs before a trial may be stopped.

    References:
        Golovin et al., Google Vizier: A Service for Black-Box Optimization, KDD 2017,
        https://dl.acm.org/doi/10.1145/3097983.3098043, section 3.2.2.

    Example:
        >>> rule = Median(grace_period=1)
        >>> for number, value in enumerate((0.1, 0.4, 0.7)):
        ...     rule.replay(number, {1: value})
        >>> [rule.should_stop(3, epoch=1, value=value) for value in (0.3, 0.4)]
        [True, False]
    """

    name: ClassVar[str] = "median"

    def __init__(self, *, grace_period: int) -> None:
        super().__init__()
        self._grace_period = grace_period

    def describe(self) -> str:
        """Return in one sentence what it would do."""
        return (
            f"From epoch {self._grace_period} on, a trial whose best is below the median of the "
            "others' averages would be stopped."
        )

    def _is_poor(self, number: int, epoch: int) -> bool:
        others = self._others_at(number, epoch)
        if epoch < self._grace_period or len(others) < FEWEST_OTHERS:
            return False
        averages = [self._average(other, epoch) for other in others]
        return self._best(number, epoch) < median(averages)

    def _average(self, number: int, epoch: int) -> float:
        first = self._graces[number]
        return fmean(v for done, v in self._curves[number].items() if first <= done <= epoch)

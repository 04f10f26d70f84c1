"""What every scheduler has in common: curves in, decisions out, and each trial's own grace."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar


class Scheduler(ABC):
    """Decides which trials end early, from their learning curves and nothing else.

    So an interrupted search has its scheduler back once the recorded curves are replayed. A trial
    counts at the epochs that it has done, whether it still runs, was stopped, ended by itself or
    failed later, and at no epoch after them.

    A trial may have a grace of its own, such as its warm-up: until that many epochs are done it
    is not stopped, and no other trial is compared with it, for its values say little of it and
    would make poor trials look good.

    Values are such that larger is better.
    """

    name: ClassVar[str]

    def __init__(self) -> None:
        self._curves: dict[int, dict[int, float]] = {}
        self._graces: dict[int, int] = {}

    @property
    def curves(self) -> Mapping[int, Mapping[int, float]]:
        """Return the values recorded, by trial and epoch."""
        return self._curves

    def should_stop(self, number: int, *, epoch: int, value: float, grace: int = 0) -> bool:
        """Record an epoch of a trial and return whether the trial should end there.

        Args:
            number: The trial.
            epoch: Epochs it has done.
            value: The value of the last one.
            grace: The trial's own grace in epochs.
        """
        self.replay(number, {epoch: value}, grace=grace)
        return epoch >= grace and self._is_poor(number, epoch)

    def replay(self, number: int, curve: Mapping[int, float], *, grace: int = 0) -> None:
        """Record epochs of a trial, without a decision.

        Args:
            number: The trial.
            curve: Values by epoch.
            grace: The trial's own grace in epochs.
        """
        self._curves.setdefault(number, {}).update(curve)
        self._graces[number] = grace

    @abstractmethod
    def describe(self) -> str:
        """Return in one sentence what it would do."""

    @abstractmethod
    def _is_poor(self, number: int, epoch: int) -> bool:
        """Return whether a trial should end at an epoch that has been recorded."""

    def _best(self, number: int, epoch: int) -> float:
        """Return the best value of a trial up to an epoch."""
        return max(value for done, value in self._curves[number].items() if done <= epoch)

    def _others_at(self, number: int, epoch: int) -> list[int]:
        """Return the other trials that have done an epoch, their own grace being over by then."""
        return [
            other
            for other, curve in self._curves.items()
            if other != number and epoch in curve and self._graces[other] <= epoch
        ]

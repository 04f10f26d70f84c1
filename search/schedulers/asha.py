"""ASHA: at each rung, one in so many goes on."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from search.schedulers.base import Scheduler


class Asha(Scheduler):
    """Stops a trial that reaches a rung with less than the best share of those before it had.

    A trial is compared with the trials that reached the rung earlier, by the best value that each
    had there; the first one passes. One whose own grace ends between two rungs is compared once,
    when it ends, with what the others had at the rung it has passed; they do not see its value.

    Args:
        rungs: The rungs, in epochs, rising.
        reduction_factor: One in this many goes on.

    References:
        Li et al., A System for Massively Parallel Hyperparameter Tuning, MLSys 2020,
        https://arxiv.org/abs/1810.05934, in the variant that stops trials in place of promoting
        them, as Ray Tune has it.

    Example:
        >>> asha = Asha((2,), reduction_factor=2)
        >>> [asha.should_stop(number, epoch=2, value=value) for number, value in ((0, 6), (1, 5))]
        [False, True]
    """

    name: ClassVar[str] = "asha"

    def __init__(self, rungs: Sequence[int], *, reduction_factor: float) -> None:
        super().__init__()
        self._rungs = tuple(rungs)
        self._reduction_factor = reduction_factor

    def rungs_of(self, number: int) -> tuple[int, ...]:
        """Return the rungs of a trial; it is compared with trials that have the same ones."""
        del number
        return self._rungs

    def describe(self) -> str:
        """Return in one sentence what it would do."""
        if not self._rungs:
            return "No trial would be stopped early."
        rungs = ", ".join(map(str, self._rungs))
        return f"At epoch {rungs} one in {self._reduction_factor:g} would go on."

    def _is_poor(self, number: int, epoch: int) -> bool:
        rungs = self.rungs_of(number)
        rung = max((rung for rung in rungs if rung <= epoch), default=0)
        if not rung or epoch not in (rung, self._graces[number]):
            return False
        peers = [o for o in self._others_at(number, rung) if self.rungs_of(o) == rungs]
        values = [self._best(other, rung) for other in peers]
        if not values:
            return False
        cutoff = float(np.quantile(values, 1 - 1 / self._reduction_factor))
        return self._best(number, epoch) < cutoff

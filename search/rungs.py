"""ASHA's decision: which trials are worth another stretch of epochs."""

from collections.abc import Mapping, Sequence

import numpy as np


class Rungs:
    """Stops a trial that reaches a rung with less than the best share of those before it had.

    A trial is compared with the trials that reached the rung earlier, by the best value each had
    there; the first one passes. Everything follows from the values recorded, so that the rungs
    of an interrupted search are rebuilt from its learning curves.

    Args:
        epochs: The rungs, in epochs, rising.
        reduction_factor: One in this many goes on.

    References:
        Li et al., A System for Massively Parallel Hyperparameter Tuning, MLSys 2020, in the
        variant that stops trials in place of promoting them, as Ray Tune has it.

    Example:
        >>> rungs = Rungs((2,), reduction_factor=2)
        >>> rungs.should_stop(0, epoch=2, best=0.6), rungs.should_stop(1, epoch=2, best=0.5)
        (False, True)
    """

    def __init__(self, epochs: Sequence[int], *, reduction_factor: float) -> None:
        self._share_stopped = 1 - 1 / reduction_factor
        self._recorded: dict[int, dict[int, float]] = {epoch: {} for epoch in sorted(epochs)}

    @property
    def recorded(self) -> Mapping[int, Mapping[int, float]]:
        """Return for each rung the value of every trial that reached it, by trial number."""
        return self._recorded

    def should_stop(self, number: int, *, epoch: int, best: float) -> bool:
        """Record a trial's epoch and return whether the trial should end there.

        Args:
            number: The trial.
            epoch: Epochs it has done.
            best: Its best value up to then, larger is better.
        """
        recorded = self._recorded.get(epoch)
        if recorded is None or number in recorded:
            return False
        others = list(recorded.values())
        recorded[number] = best
        return bool(others) and best < float(np.quantile(others, self._share_stopped))

    def replay(self, number: int, running_best: Mapping[int, float]) -> None:
        """Record the earlier epochs of a trial, without a decision.

        Args:
            number: The trial.
            running_best: Its best value up to each epoch, larger is better.
        """
        for epoch, recorded in self._recorded.items():
            if epoch in running_best:
                recorded[number] = running_best[epoch]

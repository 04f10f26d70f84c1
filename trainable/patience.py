"""Patience: how many epochs in a row may pass without a new best value."""

import math
from typing import TypedDict


class PatienceState(TypedDict):
    """What a patience knows."""

    best: float
    num_stale: int


class Patience:
    """Counts the epochs since the last new best value; larger is better.

    Args:
        num_epochs: Epochs without a new best after which patience is used up, at least 1.
    """

    def __init__(self, num_epochs: int) -> None:
        if num_epochs < 1:
            raise ValueError(f"num_epochs: expected at least 1, got {num_epochs}.")
        self.num_epochs = num_epochs
        self._best = -math.inf
        self._num_stale = 0

    @classmethod
    def of_share(cls, share: float, num_epochs: int) -> "Patience":
        """Return a patience of a share of all epochs, rounded, at least one epoch."""
        return cls(max(1, round(share * num_epochs)))

    @property
    def is_used_up(self) -> bool:
        """Return whether as many epochs as allowed have passed without a new best."""
        return self._num_stale >= self.num_epochs

    def update(self, value: float) -> None:
        """Take in the value of an epoch that has ended."""
        if value > self._best:
            self._best = value
            self._num_stale = 0
        else:
            self._num_stale += 1

    def restart(self) -> None:
        """Count from 0 again; the best value stays."""
        self._num_stale = 0

    def state_dict(self) -> PatienceState:
        """Return what is needed to go on as if never interrupted."""
        return {"best": self._best, "num_stale": self._num_stale}

    def load_state_dict(self, state: PatienceState) -> None:
        """Go on from where ``state_dict`` was taken."""
        self._best = state["best"]
        self._num_stale = state["num_stale"]

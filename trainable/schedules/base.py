"""What every schedule has in common: a factor of the learning rate at every point of a trial.

Epochs are counted in epochs done, from 0, with fractions inside an epoch, and lengths are shares
of all epochs, so that a schedule stretches with a longer trial.
"""

import math
from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

from trainable.part import Part

# The first step of a warm-up: a step at rate 0 would be a step for nothing.
WARMUP_START = 0.01


class Schedule:
    """The factor of every learning rate over one trial; this one depends on the epoch alone.

    Args:
        function: Factor in [0, 1] by the share of the trial that is done, in [0, 1].
        num_epochs: Length of the trial; later epochs have the factor of its end.
    """

    def __init__(self, function: Callable[[float], float], num_epochs: int) -> None:
        self._function = function
        self._num_epochs = num_epochs

    def factor(self, epoch: float) -> float:
        """Return the factor in [0, 1] once so many epochs are done."""
        return self._function(min(epoch / self._num_epochs, 1.0))

    def end_epoch(self, value: float | None) -> None:
        """Take in the value of the epoch that has ended, larger is better; None if unknown."""

    def state_dict(self) -> dict[str, Any]:
        """Return what is needed to go on as if never interrupted, in plain values."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from where ``state_dict`` was taken."""


class SchedulePart(Part):
    """A schedule of the learning rate."""

    @property
    def warmup_share(self) -> float:
        """Return the share of the trial that the warm-up takes."""
        return 0.0

    @abstractmethod
    def build(self, num_epochs: int) -> Schedule:
        """Return the schedule of a trial of so many epochs."""


def whole_epochs(share: float, num_epochs: int) -> int:
    """Return a share of a trial in epochs, rounded up.

    Example:
        >>> whole_epochs(0.07, 100), whole_epochs(0.071, 100), whole_epochs(0.0, 100)
        (7, 8, 0)
    """
    # 0.07 x 100 is a little more than 7 in binary.
    return math.ceil(round(share * num_epochs, 9))


def warmup_factor(progress: float, share: float) -> float:
    """Return the factor of a linear warm-up, 1 after it.

    Args:
        progress: Share of the trial that is done.
        share: Share of the trial that the warm-up takes; 0 for none.

    Example:
        >>> [round(warmup_factor(progress, 0.2), 3) for progress in (0.0, 0.1, 0.2, 0.9)]
        [0.01, 0.505, 1.0, 1.0]
    """
    if progress >= share:
        return 1.0
    return WARMUP_START + (1.0 - WARMUP_START) * progress / share

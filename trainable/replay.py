"""Training a configuration again without a validation part, led by its earlier curve."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from trainable.objective import Objective


@dataclass(frozen=True)
class Replay(Objective):
    """Stands for the validation part where there is none: an earlier training had one.

    Schedules that fall on a plateau and backbones that thaw on one do so after the same epochs as
    in the earlier training. It ends after as many epochs as there are values, and what it has
    learnt by then is what is kept: no epoch is the best one, since nothing says so.

    Args:
        values: The metric after each epoch of the earlier training, up to the one it was best at.

    Example:
        >>> replay = Replay("val/f1", values=(0.3, 0.5, 0.4))
        >>> replay.num_epochs, replay.value_of({"epoch": 3}), replay.is_better(0.4, than=0.5)
        (3, 0.4, True)
    """

    values: tuple[float, ...] = ()

    @property
    def num_epochs(self) -> int:
        """Return the epochs to train."""
        return len(self.values)

    def value_of(self, row: Mapping[str, float]) -> float:
        """Return the value that the earlier training had after the epoch of a row."""
        return self.values[int(row["epoch"]) - 1]

    def is_better(self, value: float, *, than: float | None) -> bool:
        """Return that a later epoch takes the place of an earlier one, whatever its value."""
        del value, than
        return True

    def running_best(self, values: np.ndarray) -> np.ndarray:
        """Return for each epoch its own value, since the last one counts."""
        return np.asarray(values, float)

"""What a search optimises: a metric of the validation part, and which direction is better."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

Mode = Literal["max", "min"]
LOSS = "val/loss"


@dataclass(frozen=True)
class Objective:
    """A metric and its direction.

    Args:
        metric: A column of ``metrics.csv``, such as ``val/f1``.

    Example:
        >>> Objective("val/loss").is_better(0.3, than=0.4), Objective("val/f1").mode
        (True, 'max')
    """

    metric: str = "val/f1"

    @property
    def mode(self) -> Mode:
        """Return min for the loss, else max: an attribute's value may be called loss too."""
        return "min" if self.metric == LOSS else "max"

    @property
    def sign(self) -> int:
        """Return what to multiply a value by so that larger is better."""
        return 1 if self.mode == "max" else -1

    def is_better(self, value: float, *, than: float | None) -> bool:
        """Return whether a value beats another; any value beats None."""
        return than is None or self.sign * value > self.sign * than

    def running_best(self, values: np.ndarray) -> np.ndarray:
        """Return for each epoch the best value so far, float [num_epochs]."""
        return self.sign * np.maximum.accumulate(self.sign * np.asarray(values, float))

"""What a search optimises: a metric of the validation part, and which direction is better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from trainable.errors import TrialError

if TYPE_CHECKING:
    from trainable.data.index import LabelSpace

Mode = Literal["max", "min"]
LOSS = "val/loss"
MOST_COLUMNS = 100


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

    @property
    def num_epochs(self) -> int | None:
        """Return after how many epochs a trial ends, None for those of its configuration."""
        return None

    def value_of(self, row: Mapping[str, float]) -> float:
        """Return the value of an epoch.

        Args:
            row: Its metrics, a row of ``metrics.csv``.

        Raises:
            TrialError: If it has no such metric, or one that is not a finite number.
        """
        value = row.get(self.metric)
        if value is None or not np.isfinite(value):
            raise TrialError(f"{self.metric}: expected a finite number, got {value}.")
        return value

    def is_better(self, value: float, *, than: float | None) -> bool:
        """Return whether a value beats another; any value beats None."""
        return than is None or self.sign * value > self.sign * than

    def running_best(self, values: np.ndarray) -> np.ndarray:
        """Return for each epoch the best value so far, float [num_epochs]."""
        return self.sign * np.maximum.accumulate(self.sign * np.asarray(values, float))


def is_broken_down(names: Sequence[str]) -> bool:
    """Return whether each class, or each value of an attribute, gets a metric of its own.

    More than 100 would be columns and curves that nobody reads; what they would say is in the
    trial's ``confusion.csv``.
    """
    return len(names) <= MOST_COLUMNS


def recorded_metrics(labels: LabelSpace) -> list[str]:
    """Return the names of the metrics that a trial records of the validation part.

    Example:
        >>> from trainable.data.index import LabelSpace
        >>> recorded_metrics(LabelSpace(("cat", "dog")))[3:]
        ['val/class_f1/cat', 'val/class_f1/dog']
    """
    names = ["val/f1", "val/accuracy", LOSS]
    if is_broken_down(labels.classes):
        names += [f"val/class_f1/{name}" for name in labels.classes]
    for name, attribute in labels.attributes.items():
        names.append(f"val/f1/{name}")
        if is_broken_down(attribute.values):
            names += [f"val/f1/{name}/{value}" for value in attribute.values]
    return names

"""Plateau: falls when the validation value stops rising."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Literal

from pydantic import Field

from trainable.patience import Patience
from trainable.schedules.base import Schedule, SchedulePart, warmup_factor


class PlateauSchedule(Schedule):
    """A factor that is lowered each time that patience is used up.

    Args:
        patience: Epochs without a new best after which the factor falls.
        num_epochs: Length of the trial.
        factor: What each fall multiplies by.
        floor: The least factor.
        warmup: Share of the trial that the warm-up takes.
    """

    def __init__(
        self, patience: Patience, num_epochs: int, *, factor: float, floor: float, warmup: float
    ) -> None:
        super().__init__(partial(warmup_factor, share=warmup), num_epochs)
        self._patience = patience
        self._fall = factor
        self._floor = floor
        self._height = 1.0

    def factor(self, epoch: float) -> float:
        """Return the factor in [0, 1] once so many epochs are done."""
        return self._height * super().factor(epoch)

    def end_epoch(self, value: float | None) -> None:
        """Take in the value of the epoch that has ended, and fall if patience is used up.

        Raises:
            ValueError: If there is no value: a plateau cannot be seen without one.
        """
        if value is None:
            raise ValueError("schedule/name: a plateau needs a validation value every epoch.")
        self._patience.update(value)
        if self._patience.is_used_up:
            self._height = max(self._height * self._fall, self._floor)
            self._patience.restart()

    def state_dict(self) -> dict[str, Any]:
        """Return what is needed to go on as if never interrupted, in plain values."""
        return {"patience": self._patience.state_dict(), "height": self._height}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from where ``state_dict`` was taken."""
        self._patience.load_state_dict(state["patience"])
        self._height = state["height"]


class Plateau(SchedulePart):
    """Plateau: falls by a factor after a share of the epochs without a new best value."""

    name: Literal["plateau"] = "plateau"
    patience: float = Field(0.1, gt=0, lt=1)
    factor: float = Field(0.3, gt=0, lt=1)
    floor: float = Field(0.001, ge=0, lt=1)
    warmup: float = Field(0.0, ge=0, lt=1)

    @property
    def warmup_share(self) -> float:
        """Return the share of the trial that the warm-up takes."""
        return self.warmup

    def build(self, num_epochs: int) -> PlateauSchedule:
        """Return the schedule of a trial of so many epochs."""
        return PlateauSchedule(
            Patience.of_share(self.patience, num_epochs),
            num_epochs,
            factor=self.factor,
            floor=self.floor,
            warmup=self.warmup,
        )

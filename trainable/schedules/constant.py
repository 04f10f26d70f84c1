"""Schedules that keep the rate: from the start, or after a warm-up."""

from functools import partial
from typing import Literal

from pydantic import Field

from trainable.schedules.base import Schedule, SchedulePart, warmup_factor


class Constant(SchedulePart):
    """None: the learning rate stays as it is."""

    name: Literal["none"] = "none"

    def build(self, num_epochs: int) -> Schedule:
        """Return the schedule that is 1 everywhere."""
        return Schedule(lambda _: 1.0, num_epochs)


class Warmup(SchedulePart):
    """Warm-up: rises linearly over a share of the epochs, then stays."""

    name: Literal["warmup"] = "warmup"
    share: float = Field(0.05, gt=0, le=1)

    @property
    def warmup_share(self) -> float:
        """Return the share of the trial that the warm-up takes."""
        return self.share

    def build(self, num_epochs: int) -> Schedule:
        """Return the schedule of a trial of so many epochs."""
        return Schedule(partial(warmup_factor, share=self.share), num_epochs)

"""Schedules that fall without looking at the results: in steps, or evenly."""

import math
from functools import partial
from typing import Literal

from pydantic import Field

from trainable.schedules.base import Schedule, SchedulePart, warmup_factor

# Shares are not exact in binary: the end of a step counts as reached this close to it.
TOLERANCE = 1e-9


def step_factor(progress: float, *, share: float, factor: float) -> float:
    """Return factor^k after k whole steps of the given share of the trial.

    Example:
        >>> [step_factor(progress, share=0.25, factor=0.5) for progress in (0.2, 0.25, 0.5, 1.0)]
        [1.0, 0.5, 0.25, 0.0625]
    """
    return factor ** int(progress / share + TOLERANCE)


def exponential_factor(progress: float, *, final: float, warmup: float) -> float:
    """Return the factor that falls by the same ratio every epoch, after a warm-up.

    Example:
        >>> [exponential_factor(progress, final=0.01, warmup=0.0) for progress in (0.0, 0.5, 1.0)]
        [1.0, 0.1, 0.01]
    """
    if progress < warmup:
        return warmup_factor(progress, warmup)
    return math.pow(final, (progress - warmup) / (1.0 - warmup))


class Step(SchedulePart):
    """Step: is multiplied by a factor every so many epochs."""

    name: Literal["step"] = "step"
    share: float = Field(0.25, gt=0, lt=1)
    factor: float = Field(0.5, gt=0, lt=1)

    def build(self, num_epochs: int) -> Schedule:
        """Return the schedule of a trial of so many epochs."""
        function = partial(step_factor, share=self.share, factor=self.factor)
        return Schedule(function, num_epochs)


class Exponential(SchedulePart):
    """Exponential: falls by the same ratio every epoch, to a final share of the rate."""

    name: Literal["exponential"] = "exponential"
    final: float = Field(0.01, gt=0, lt=1)
    warmup: float = Field(0.0, ge=0, lt=1)

    @property
    def warmup_share(self) -> float:
        """Return the share of the trial that the warm-up takes."""
        return self.warmup

    def build(self, num_epochs: int) -> Schedule:
        """Return the schedule of a trial of so many epochs."""
        function = partial(exponential_factor, final=self.final, warmup=self.warmup)
        return Schedule(function, num_epochs)

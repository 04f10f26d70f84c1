"""Cosine: falls along half a cosine, once or several times."""

import math
from functools import partial
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from trainable.schedules.base import Schedule, SchedulePart, warmup_factor
from trainable.schedules.decay import TOLERANCE


def cycle_at(progress: float, *, num_cycles: int, growth: float) -> tuple[int, float]:
    """Return which cycle it is, from 0, and the share of that cycle that is done.

    Cycle i is growth^i times as long as the first; together they fill [0, 1], whose end still
    belongs to the last.

    Example:
        >>> cycle_at(0.5, num_cycles=2, growth=3.0)
        (1, 0.333...)
    """
    lengths = [growth**i for i in range(num_cycles)]
    place = progress * sum(lengths)
    for cycle, length in enumerate(lengths[:-1]):
        if place < length - TOLERANCE:
            return cycle, max(place, 0.0) / length
        place -= length
    return num_cycles - 1, min(max(place / lengths[-1], 0.0), 1.0)


def cosine_factor(
    progress: float, *, warmup: float, floor: float, num_cycles: int, growth: float, decay: float
) -> float:
    """Return the factor along half a cosine from the height of its cycle down to the floor.

    Args:
        progress: Share of the trial that is done.
        warmup: Share of the trial that the warm-up takes.
        floor: Factor at the end of every cycle.
        num_cycles: Cycles after the warm-up; each starts with a restart.
        growth: Length of each cycle by that of the one before.
        decay: Height of each cycle by that of the one before.

    Returns:
        The factor in [floor, 1], except in the warm-up.

    References:
        SGDR, https://arxiv.org/abs/1608.03983
    """
    if progress < warmup:
        return warmup_factor(progress, warmup)
    after_warmup = (progress - warmup) / (1.0 - warmup)
    cycle, done = cycle_at(after_warmup, num_cycles=num_cycles, growth=growth)
    height = decay**cycle
    return floor + (height - floor) * 0.5 * (1.0 + math.cos(math.pi * done))


class Cosine(SchedulePart):
    """Cosine: warms up, then falls along half a cosine, with restarts where asked."""

    name: Literal["cosine"] = "cosine"
    warmup: float = Field(0.0, ge=0, lt=1)
    floor: float = Field(0.01, ge=0, lt=1)
    num_cycles: int = Field(1, ge=1, le=100)
    cycle_growth: float = Field(1.0, ge=1, le=10)
    cycle_decay: float = Field(1.0, gt=0, le=1)

    @field_validator("cycle_growth", "cycle_decay")
    @classmethod
    def _has_effect(cls, value: float, others: ValidationInfo) -> float:
        if others.data.get("num_cycles") == 1 and value != 1.0:
            raise ValueError("1 while num_cycles is 1")
        return value

    @field_validator("cycle_decay")
    @classmethod
    def _starts_above_floor(cls, value: float, others: ValidationInfo) -> float:
        floor, num_cycles = others.data.get("floor", 0.0), others.data.get("num_cycles", 1)
        if value ** (num_cycles - 1) <= floor:
            raise ValueError(f"a value whose power {num_cycles - 1} is above the floor {floor}")
        return value

    @property
    def warmup_share(self) -> float:
        """Return the share of the trial that the warm-up takes."""
        return self.warmup

    def build(self, num_epochs: int) -> Schedule:
        """Return the schedule of a trial of so many epochs."""
        function = partial(
            cosine_factor,
            warmup=self.warmup,
            floor=self.floor,
            num_cycles=self.num_cycles,
            growth=self.cycle_growth,
            decay=self.cycle_decay,
        )
        return Schedule(function, num_epochs)

"""Schedules: how the learning rate changes over a trial."""

from typing import Annotated

from pydantic import Field

from trainable.schedules.constant import Constant, Warmup
from trainable.schedules.cosine import Cosine
from trainable.schedules.decay import Exponential, Step
from trainable.schedules.plateau import Plateau

Schedule = Annotated[
    Constant | Warmup | Step | Exponential | Cosine | Plateau, Field(discriminator="name")
]

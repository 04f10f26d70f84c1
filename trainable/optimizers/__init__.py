"""Optimizers: how a gradient turns into a step."""

from typing import Annotated

from pydantic import Field

from trainable.optimizers.adam import Adam, AdamW, NAdam
from trainable.optimizers.adamp import AdamP
from trainable.optimizers.sgd import Sgd

Optimizer = Annotated[Sgd | Adam | AdamW | NAdam | AdamP, Field(discriminator="name")]

"""The family of samplers: which training images an epoch sees, a table of contents."""

from typing import Annotated

from pydantic import Field

from trainable.samplers.balanced import ImbalancedSampling, WeightedSampling
from trainable.samplers.shuffled import PlainSampling

Sampling = Annotated[
    PlainSampling | WeightedSampling | ImbalancedSampling, Field(discriminator="name")
]

"""Freezing: which layers of the backbone are trained, and when."""

from typing import Annotated

from pydantic import Field

from trainable.freezing.fixed import FreezeAll, FreezeFront, FreezeNone
from trainable.freezing.melt import Melt

Freeze = Annotated[FreezeNone | FreezeAll | FreezeFront | Melt, Field(discriminator="name")]

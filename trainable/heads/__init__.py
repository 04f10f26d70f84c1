"""The family of heads: from a backbone's features to the classes, a table of contents."""

from typing import Annotated

from pydantic import Field

from trainable.heads.layered import Deep, Linear, Shallow
from trainable.heads.multi import Multi

Head = Annotated[Linear | Shallow | Deep | Multi, Field(discriminator="name")]

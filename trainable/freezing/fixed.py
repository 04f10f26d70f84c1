"""Freezing the same layers all the time: none, all, or those at the front."""

from typing import Literal

from pydantic import Field

from trainable.freezing.base import FreezePart, FreezePlan


class FreezeNone(FreezePart):
    """None: everything is trained."""

    name: Literal["none"] = "none"

    def build(self, num_epochs: int) -> FreezePlan:
        """Return the plan that freezes nothing."""
        del num_epochs
        return FreezePlan(0.0)


class FreezeAll(FreezePart):
    """All: only the head is trained, on the features of the backbone as it came."""

    name: Literal["all"] = "all"

    def build(self, num_epochs: int) -> FreezePlan:
        """Return the plan that freezes the backbone."""
        del num_epochs
        return FreezePlan(1.0)


class FreezeFront(FreezePart):
    """Front: a share of the backbone's layer groups stays as it came, from the input on."""

    name: Literal["front"] = "front"
    share: float = Field(0.5, gt=0, lt=1)

    def build(self, num_epochs: int) -> FreezePlan:
        """Return the plan that freezes this share."""
        del num_epochs
        return FreezePlan(self.share)

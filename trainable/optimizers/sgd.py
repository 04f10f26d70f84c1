"""Stochastic gradient descent."""

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator
from torch.optim import SGD, Optimizer

from trainable.optimizers.base import OptimizerPart, can_fuse
from trainable.optimizers.groups import ParamGroup


class Sgd(OptimizerPart):
    """SGD: plain gradient steps with momentum, on request Nesterov's."""

    name: Literal["sgd"] = "sgd"
    lr: float = Field(0.05, gt=0, le=10)
    momentum: float = Field(0.9, ge=0, lt=1)
    nesterov: bool = False

    @field_validator("nesterov")
    @classmethod
    def _needs_momentum(cls, value: bool, others: ValidationInfo) -> bool:
        if value and others.data.get("momentum") == 0:
            raise ValueError("false while momentum is 0")
        return value

    def make(self, groups: list[ParamGroup]) -> Optimizer:
        """Return torch's SGD, fused where it can be."""
        return SGD(
            groups,
            lr=self.lr,
            momentum=self.momentum,
            nesterov=self.nesterov,
            fused=can_fuse(groups),
        )

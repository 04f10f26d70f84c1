"""AdamP: Adam for weights that a normalisation follows."""

from typing import Literal

import torch
from adamp import AdamP as NaverAdamP
from pydantic import Field
from torch import Tensor
from torch.optim import Optimizer

from trainable.optimizers.adam import AdamPart
from trainable.optimizers.groups import ParamGroup


class StridedAdamP(NaverAdamP):  # type: ignore[misc]
    """The adamp package's AdamP, also for weights in channels-last order."""

    # The package's views fail on strides that are not contiguous.
    def _channel_view(self, x: Tensor) -> Tensor:
        return x.reshape(x.size(0), -1)

    def _layer_view(self, x: Tensor) -> Tensor:
        return x.reshape(1, -1)

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        """Move every parameter that has a gradient."""
        super().step(closure)


class AdamP(AdamPart):
    """AdamP: AdamW that drops the part of a step which only makes weights longer."""

    name: Literal["adamp"] = "adamp"
    nesterov: bool = False
    delta: float = Field(0.1, ge=0, le=1)
    wd_ratio: float = Field(0.1, ge=0, le=1)

    def make(self, groups: list[ParamGroup]) -> Optimizer:
        """Return the adamp package's AdamP."""
        optimizer: Optimizer = StridedAdamP(
            groups,
            lr=self.lr,
            betas=self.betas,
            eps=self.eps,
            delta=self.delta,
            wd_ratio=self.wd_ratio,
            nesterov=self.nesterov,
        )
        return optimizer

"""Adam and its relatives from torch."""

from typing import Literal

from pydantic import Field
from torch.optim import Adam as TorchAdam
from torch.optim import AdamW as TorchAdamW
from torch.optim import NAdam as TorchNAdam
from torch.optim import Optimizer

from trainable.optimizers.base import OptimizerPart, can_fuse
from trainable.optimizers.groups import ParamGroup


class AdamPart(OptimizerPart):
    """What the relatives of Adam share: the memory of their two moments."""

    lr: float = Field(1e-3, gt=0, le=10)
    beta1: float = Field(0.9, ge=0, lt=1)
    beta2: float = Field(0.999, ge=0, lt=1)
    eps: float = Field(1e-8, gt=0, le=1)

    @property
    def betas(self) -> tuple[float, float]:
        """Return the decay rates of the first and the second moment."""
        return (self.beta1, self.beta2)


class Adam(AdamPart):
    """Adam: steps by the moments of the gradient; weight decay is part of the gradient."""

    name: Literal["adam"] = "adam"

    def make(self, groups: list[ParamGroup]) -> Optimizer:
        """Return torch's Adam, fused where it can be."""
        fused = can_fuse(groups)
        return TorchAdam(groups, lr=self.lr, betas=self.betas, eps=self.eps, fused=fused)


class AdamW(AdamPart):
    """AdamW: Adam whose weight decay acts on the weights themselves."""

    name: Literal["adamw"] = "adamw"

    def make(self, groups: list[ParamGroup]) -> Optimizer:
        """Return torch's AdamW, fused where it can be."""
        fused = can_fuse(groups)
        return TorchAdamW(groups, lr=self.lr, betas=self.betas, eps=self.eps, fused=fused)


class NAdam(AdamPart):
    """NAdam: Adam with Nesterov's look ahead."""

    name: Literal["nadam"] = "nadam"

    def make(self, groups: list[ParamGroup]) -> Optimizer:
        """Return torch's NAdam, all parameters at once, since it has no fused form."""
        return TorchNAdam(groups, lr=self.lr, betas=self.betas, eps=self.eps, foreach=True)

"""AdamP: Adam for weights that a normalisation follows."""

import math
from typing import Literal

import torch
from adamp import AdamP as NaverAdamP
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the field's name for it
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

    # The package's form asks the GPU at every weight what to do, and waits for the answer.
    def _projection(  # noqa: PLR0917 - the package's signature
        self, p: Tensor, grad: Tensor, perturb: Tensor, delta: float, wd_ratio: float, eps: float
    ) -> tuple[Tensor, Tensor | float]:
        if not p.is_cuda:
            projected: tuple[Tensor, float] = super()._projection(
                p, grad, perturb, delta, wd_ratio, eps
            )
            return projected
        return projection(p, grad, perturb, delta=delta, wd_ratio=wd_ratio, eps=eps)

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        """Move every parameter that has a gradient."""
        super().step(closure)


def projection(
    weight: Tensor, gradient: Tensor, step: Tensor, *, delta: float, wd_ratio: float, eps: float
) -> tuple[Tensor, Tensor]:
    """Return AdamP's step of a weight that a normalisation follows, and of any other as it is.

    A normalisation follows where gradient and weight are nearly orthogonal, by channel or else
    as a whole; the step then loses its part along the weight. Without a branch, so that nothing
    waits for the numbers.

    Args:
        weight: [channels, ...], of more than one dimension.
        gradient: Of the same shape.
        step: Of the same shape, left as it is.
        delta: Largest cosine that counts as orthogonal, for one number a channel.
        wd_ratio: Factor of the weight decay where the step is changed.
        eps: Keeps divisions from those by 0.

    Returns:
        The step, and the factor of the weight decay, [].

    References:
        Heo et al., AdamP: Slowing Down the Slowdown for Momentum Optimizers on Scale-invariant
        Weights, ICLR 2021.
    """
    result, factor = step, torch.ones((), device=weight.device)
    # The first view that fits decides, so it is the last to be taken in.
    for num_rows in (1, len(weight)):
        rows, of_gradient, of_step = (t.reshape(num_rows, -1) for t in (weight, gradient, step))
        cosines = F.cosine_similarity(of_gradient, rows, dim=1, eps=eps).abs()
        fits = cosines.max() < delta / math.sqrt(rows.size(1))
        unit = rows / rows.norm(dim=1, keepdim=True).add(eps)
        along = (unit * of_step).sum(dim=1, keepdim=True)
        result = torch.where(fits, (of_step - unit * along).reshape(step.shape), result)
        factor = torch.where(fits, wd_ratio, factor)
    return result, factor


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

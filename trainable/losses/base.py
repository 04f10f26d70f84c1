"""What every loss is: a function of logits and soft targets, computed in full precision."""

from abc import abstractmethod
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

import torch
from torch import Tensor

from trainable.part import Part

# (logits_NC, targets_NC) -> scalar, the mean over the batch. N: images, C: classes.
LossFn = Callable[[Tensor, Tensor], Tensor]

P = ParamSpec("P")


class LossPart(Part):
    """A loss of the search.

    Targets are soft (every row sums to 1), because CutMix mixes them.
    """

    @abstractmethod
    def build(self) -> LossFn:
        """Return the function (logits_NC, targets_NC) -> scalar."""


def in_full_precision(
    loss: Callable[Concatenate[Tensor, Tensor, P], Tensor],
) -> Callable[Concatenate[Tensor, Tensor, P], Tensor]:
    """Compute a loss in float32, or float64 where the logits are, also under autocast.

    In bf16 a softmax over similar logits has three significant digits, in fp16 a large logit
    overflows.
    """

    @wraps(loss)
    def computed(
        logits_NC: Tensor, targets_NC: Tensor, /, *args: P.args, **kwargs: P.kwargs
    ) -> Tensor:
        dtype = torch.promote_types(logits_NC.dtype, torch.float32)
        with torch.autocast(logits_NC.device.type, enabled=False):
            return loss(logits_NC.to(dtype), targets_NC.to(dtype), *args, **kwargs)

    return computed

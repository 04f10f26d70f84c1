"""Focal loss for classes that exclude each other."""

from functools import partial
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from trainable.losses.base import LossFn, LossPart, in_full_precision


class Focal(LossPart):
    """Focal loss: images that are already easy weigh less."""

    name: Literal["focal"] = "focal"
    gamma: float = Field(2.0, gt=0, le=10)

    def build(self) -> LossFn:
        """Return ``focal_loss`` with this gamma."""
        return partial(focal_loss, gamma=self.gamma)


@in_full_precision
def focal_loss(logits_NC: Tensor, targets_NC: Tensor, *, gamma: float) -> Tensor:
    """Return the mean over images of ``-sum_c t_c (1 - p_c)^gamma log p_c``, p the softmax.

    Args:
        logits_NC: Logits or log-probabilities, float [num_images, num_classes].
        targets_NC: Soft targets, float [num_images, num_classes], rows sum to 1.
        gamma: How much less easy images weigh, from 0 (cross-entropy).

    Returns:
        Scalar of at least float32.

    References:
        Lin et al., Focal Loss for Dense Object Detection, ICCV 2017, for two classes; here
        over a softmax and soft targets.

    Example:
        >>> focal_loss(torch.tensor([[0.0, 0.0]]), torch.tensor([[0.3, 0.7]]), gamma=2.0)
        tensor(0.1733)
    """
    log_probs_NC = torch.log_softmax(logits_NC, dim=1)
    # expm1 keeps the digits of 1 - p near p = 1. Without the floor a gamma below 1 has an
    # infinite slope at p = 1, and infinity times log p = 0 is a NaN gradient.
    misses_NC = (-torch.expm1(log_probs_NC)).clamp(min=torch.finfo(logits_NC.dtype).tiny)
    return -(targets_NC * misses_NC**gamma * log_probs_NC).sum(dim=1).mean()

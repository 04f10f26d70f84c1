"""Soft macro F1 as a loss."""

from typing import Literal

import torch
from torch import Tensor

from trainable.losses.base import LossFn, LossPart, in_full_precision


class SoftF1(LossPart):
    """Soft macro F1: what the search measures, made differentiable within a batch."""

    name: Literal["f1"] = "f1"

    def build(self) -> LossFn:
        """Return ``soft_f1_loss``."""
        return soft_f1_loss


@in_full_precision
def soft_f1_loss(logits_NC: Tensor, targets_NC: Tensor) -> Tensor:
    """Return 1 minus the mean F1 of the classes in the batch, counted in probabilities.

    A class has ``2 sum_n t_n p_n / (sum_n t_n + sum_n p_n)`` with the softmax p. Classes
    without any target in the batch have no F1; wrong predictions of them still lower the
    true classes' recall.

    Args:
        logits_NC: Logits or log-probabilities, float [num_images, num_classes].
        targets_NC: Soft targets, float [num_images, num_classes], rows sum to 1.

    Returns:
        Scalar of at least float32, in [0, 1].

    Example:
        >>> certain = torch.tensor([[9e9, 0.0, 0.0], [0.0, 9e9, 0.0]])
        >>> soft_f1_loss(certain, torch.tensor([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]))
        tensor(0.3333)
    """
    probs_NC = torch.softmax(logits_NC, dim=1)
    hits_C = (targets_NC * probs_NC).sum(dim=0)
    wanted_C = targets_NC.sum(dim=0)
    present_C = wanted_C > 0
    # An absent class has no hits, so that any positive number keeps it at 0 without 0 / 0.
    totals_C = torch.where(present_C, wanted_C + probs_NC.sum(dim=0), 1.0)
    return 1 - (2 * hits_C / totals_C).sum() / present_C.sum()

"""Cross-entropy."""

from typing import Literal

from torch import Tensor
from torch.nn import functional

from trainable.losses.base import LossFn, LossPart, in_full_precision


class CrossEntropy(LossPart):
    """Cross-entropy: the surprise at the true class, every image alike."""

    name: Literal["cross_entropy"] = "cross_entropy"

    def build(self) -> LossFn:
        """Return ``cross_entropy``."""
        return cross_entropy


@in_full_precision
def cross_entropy(logits_NC: Tensor, targets_NC: Tensor) -> Tensor:
    """Return the mean over images of ``-sum_c t_c log p_c``.

    Args:
        logits_NC: Logits or log-probabilities, float [num_images, num_classes].
        targets_NC: Soft targets, float [num_images, num_classes], rows sum to 1.

    Returns:
        Scalar of at least float32, in nats.

    Example:
        >>> import torch
        >>> cross_entropy(torch.tensor([[0.0, 0.0]]), torch.tensor([[0.3, 0.7]]))
        tensor(0.6931)
    """
    return functional.cross_entropy(logits_NC, targets_NC)

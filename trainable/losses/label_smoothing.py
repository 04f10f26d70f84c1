"""Cross-entropy with label smoothing."""

from functools import partial
from typing import Literal

from pydantic import Field
from torch import Tensor

from trainable.losses.base import LossFn, LossPart, in_full_precision
from trainable.losses.cross_entropy import cross_entropy


class LabelSmoothing(LossPart):
    """Cross-entropy with smoothed labels: a small share of each target goes to every class."""

    name: Literal["label_smoothing"] = "label_smoothing"
    smoothing: float = Field(0.1, gt=0, lt=1)

    def build(self) -> LossFn:
        """Return ``label_smoothing_loss`` with this smoothing."""
        return partial(label_smoothing_loss, smoothing=self.smoothing)


def smooth(targets_NC: Tensor, smoothing: float) -> Tensor:
    """Move a share of every target evenly to all classes, the true ones included.

    Args:
        targets_NC: Soft targets, float [num_images, num_classes], rows sum to 1.
        smoothing: Share that is moved; each of C classes receives ``smoothing / C``.

    Returns:
        Soft targets of the same shape, rows sum to 1.

    Example:
        >>> import torch
        >>> smooth(torch.tensor([[1.0, 0.0]]), 0.1)
        tensor([[0.9500, 0.0500]])
    """
    return targets_NC * (1 - smoothing) + smoothing / targets_NC.shape[1]


@in_full_precision
def label_smoothing_loss(logits_NC: Tensor, targets_NC: Tensor, *, smoothing: float) -> Tensor:
    """Return the cross-entropy against smoothed targets.

    Args:
        logits_NC: Logits or log-probabilities, float [num_images, num_classes].
        targets_NC: Soft targets, float [num_images, num_classes], rows sum to 1.
        smoothing: Share of each target that goes evenly to all classes, in [0, 1).

    Returns:
        Scalar of at least float32, in nats.

    References:
        Szegedy et al., Rethinking the Inception Architecture for Computer Vision, CVPR 2016.
    """
    return cross_entropy(logits_NC, smooth(targets_NC, smoothing))

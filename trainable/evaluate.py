"""Probabilities of many images, the same in training, export and prediction."""

from collections.abc import Callable
from functools import partial
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from trainable.data.on_device import KeptRows, moved
from trainable.in_parts import InParts
from trainable.kernels import EVALUATION

BATCH_SIZE = 256


class Images(Protocol):
    """Anything that gives uint8 [n, H, W, 3] for an array of row numbers."""

    def __getitem__(self, rows: np.ndarray, /) -> np.ndarray: ...


# Images, or features of them, that may be on the device already.
Pixels = Images | KeptRows


@torch.inference_mode()
def predict_probabilities(
    model: nn.Module,
    images: Pixels,
    rows: np.ndarray,
    *,
    device: torch.device,
    batch_size: int = BATCH_SIZE,
) -> Tensor:
    """Return the class probabilities of images.

    Always in full float32, whatever precision was trained in: what is recorded in training on a
    GPU is then what an exported model predicts on any device, to the order of sums.

    Args:
        model: A classifier on the device, or the rest of one if images are features; left in
            evaluation mode.
        images: Decoded images by row number.
        rows: int64 [N], the rows to predict.
        device: Where the model is.
        batch_size: Images at a time; fewer from where memory does not suffice.

    Returns:
        float32 [N, num_classes] on the device, rows sum to 1.

    Raises:
        TrialError: If memory does not suffice for a single image.
    """
    model.eval()
    with EVALUATION.in_use():
        logits = in_batches(model, images, rows, device=device, batch_size=batch_size)
        return logits.softmax(dim=1)


def in_batches(
    network: Callable[[Tensor], Tensor],
    images: Pixels,
    rows: np.ndarray,
    *,
    device: torch.device,
    batch_size: int = BATCH_SIZE,
) -> Tensor:
    """Return what a network makes of images, [N, ...]; arguments as in ``predict_probabilities``.

    To be called where no gradients are recorded.
    """
    in_parts = InParts()
    results = []
    for start in range(0, len(rows), batch_size):
        batch = rows[start : start + batch_size]
        compute = partial(_compute, network, images, batch, device)
        results += in_parts.fitted(compute, num_images=len(batch), device=device)
    return torch.cat(results)


def _compute(
    network: Callable[[Tensor], Tensor],
    images: Pixels,
    rows: np.ndarray,
    device: torch.device,
    num_parts: int,
) -> list[Tensor]:
    """Return what the network makes of each of so many parts of the rows."""
    parts = np.array_split(rows, min(num_parts, len(rows)))
    return [network(_on_device(images[part], device)) for part in parts]


def _on_device(images: np.ndarray | Tensor, device: torch.device) -> Tensor:
    if isinstance(images, Tensor):
        return images
    return moved(torch.from_numpy(np.ascontiguousarray(images)), device)

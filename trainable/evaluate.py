"""Probabilities of many images, the same in training, export and prediction."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from trainable.in_parts import InParts

BATCH_SIZE = 256


class Images(Protocol):
    """Anything that gives uint8 [n, H, W, 3] for an array of row numbers."""

    def __getitem__(self, rows: np.ndarray, /) -> np.ndarray: ...


@torch.inference_mode()
def predict_probabilities(
    model: nn.Module,
    images: Images,
    rows: np.ndarray,
    *,
    device: torch.device,
    batch_size: int = BATCH_SIZE,
) -> Tensor:
    """Return the class probabilities of images.

    Always in full float32, whatever precision was trained in: what is recorded in training on a
    GPU is then what an exported model predicts on any device, to the order of sums.

    Args:
        model: A classifier on the device; left in evaluation mode.
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
    in_parts = InParts()
    probabilities = []
    with _no_tf32():
        for start in range(0, len(rows), batch_size):
            batch = rows[start : start + batch_size]
            predict = partial(_predict, model, images, batch, device)
            probabilities += in_parts.fitted(predict, num_images=len(batch), device=device)
    return torch.cat(probabilities)


def _predict(
    model: nn.Module, images: Images, rows: np.ndarray, device: torch.device, num_parts: int
) -> list[Tensor]:
    """Return the probabilities of each of so many parts of the rows."""
    probabilities = []
    for part in np.array_split(rows, min(num_parts, len(rows))):
        pixels = np.ascontiguousarray(images[part])
        batch_NHWC = torch.from_numpy(pixels).to(device, non_blocking=True)
        probabilities.append(model(batch_NHWC).softmax(dim=1))
    return probabilities


@contextmanager
def _no_tf32() -> Iterator[None]:
    """Switch off TF32 for a while, which keeps 10 of float32's 23 bits in convolutions."""
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    before = cudnn.allow_tf32, matmul.allow_tf32
    cudnn.allow_tf32 = matmul.allow_tf32 = False
    try:
        yield
    finally:
        cudnn.allow_tf32, matmul.allow_tf32 = before

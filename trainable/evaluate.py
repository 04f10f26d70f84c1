"""Probabilities of many images, the same way in training, export and prediction."""

from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from trainable.precision import Precision


class Images(Protocol):
    """Anything that gives uint8 [n, H, W, 3] for an array of row numbers."""

    def __getitem__(self, rows: np.ndarray, /) -> np.ndarray: ...


@torch.inference_mode()
def predict_probabilities(
    model: nn.Module,
    images: Images,
    rows: np.ndarray,
    *,
    batch_size: int,
    precision: Precision,
) -> Tensor:
    """Return the class probabilities of images, on the model's device.

    Args:
        model: A classifier that takes uint8 [n, H, W, 3]; left in evaluation mode.
        images: Decoded images by row number.
        rows: int64 [N], the rows to predict.
        batch_size: Images at a time.
        precision: Precision and device of the forward pass.

    Returns:
        float32 [N, num_classes], rows sum to 1.
    """
    model.eval()
    probabilities = []
    for start in range(0, len(rows), batch_size):
        pixels = np.ascontiguousarray(images[rows[start : start + batch_size]])
        batch_NHWC = torch.from_numpy(pixels).to(precision.device, non_blocking=True)
        with precision.autocast():
            logits_NC = model(batch_NHWC)
        probabilities.append(logits_NC.float().softmax(dim=1))
    return torch.cat(probabilities)

"""Decoded images on the device, one copy for all trials of a process."""

import numpy as np
import torch
from torch import Tensor

from trainable.data.prepared import PreparedData
from trainable.memory import Kept

# 5 % of 80 GB hold 108,000 images of 128x96. More are read from the cache on disk, epoch by epoch.
KEPT_IMAGES = Kept(share=0.05)


def kept_images(data: PreparedData, size: tuple[int, int], device: torch.device) -> Tensor | None:
    """Return all images of the data at a size, on a device, or None where they have no room.

    Returns:
        uint8 [num_images, height, width, 3], RGB, not to be written to.
    """
    images = data.images(size)
    return KEPT_IMAGES.get(
        (data.fingerprint, data.crop, size, str(device)),
        lambda: torch.from_numpy(np.array(images)).to(device),
        num_bytes=images.nbytes,
        device=device,
    )

"""Whether a process that trains one trial after the other holds more and more memory."""

import torch

from trainable.data.kept_images import KEPT_IMAGES
from trainable.frozen import KEPT_FEATURES
from trainable.in_parts import free_memory
from trainable.memory import held_memory


class Growth:
    """Compares what a process holds between trials with what it held after its first one.

    Args:
        device: Where its trials run.
        limit: Bytes of growth, of this machine's memory or the GPU's, that are too much.
    """

    def __init__(self, device: torch.device, limit: int) -> None:
        self._device = device
        self._limit = limit
        self._at_first: list[int] | None = None
        self.is_too_much = False

    def look(self) -> None:
        """Compare, between two trials."""
        free_memory(self._device)
        held = self._held()
        self._at_first = self._at_first or held
        grown = [now - first for now, first in zip(held, self._at_first, strict=True)]
        self.is_too_much = max(grown) > self._limit

    def _held(self) -> list[int]:
        """Return the bytes of this machine's memory and of the GPU's, without what is kept."""
        kept = KEPT_IMAGES.num_bytes + KEPT_FEATURES.num_bytes
        if self._device.type == "cpu":
            return [held_memory() - kept]
        return [held_memory(), torch.cuda.memory_reserved(self._device) - kept]

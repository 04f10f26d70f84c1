"""Moves batches to the trial's device, on a GPU while it still works on the batch before."""

from collections.abc import Iterable, Iterator
from contextlib import nullcontext

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Pair = tuple[Tensor, Tensor]


def moved(tensor: Tensor, device: torch.device) -> Tensor:
    """Return a tensor on a device, without waiting for what a GPU is at.

    A copy from memory that is not pinned would wait.
    """
    if device.type == "cuda" and tensor.device.type == "cpu" and not tensor.is_pinned():
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=True)


class KeptRows:
    """Rows of a tensor that is on the device already.

    Args:
        kept: Anything by row, [num_rows, ...].
    """

    def __init__(self, kept: Tensor) -> None:
        self._kept = kept

    def __getitem__(self, rows: NDArray[np.int64]) -> Tensor:
        """Return a copy of some rows, [n, ...]."""
        return self._kept.index_select(0, moved(torch.from_numpy(rows), self._kept.device))


def moved_ahead(batches: Iterable[Pair], device: torch.device) -> Iterator[Pair]:
    """Yield batches on a device, each one on its way before the one ahead of it is worked on.

    A GPU copies on a stream of its own, so that copy and work go on side by side.

    Args:
        batches: Images, or features of them, and class numbers.
        device: Where to.
    """
    stream: torch.cuda.Stream | None = None
    if device.type == "cuda":
        stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
    ahead: _OnItsWay | None = None
    for batch in batches:
        behind = _OnItsWay(batch, device, stream)
        if ahead is not None:
            yield ahead.arrived()
        ahead = behind
    if ahead is not None:
        yield ahead.arrived()


class _OnItsWay:
    """A batch that a stream copies, or without one has copied."""

    def __init__(
        self, batch: Pair, device: torch.device, stream: torch.cuda.Stream | None
    ) -> None:
        with nullcontext() if stream is None else torch.cuda.stream(stream):
            self._pair = moved(batch[0], device), moved(batch[1], device)
        self._copied = None if stream is None else stream.record_event()

    def arrived(self) -> Pair:
        """Return the batch; what the GPU is given from here on waits for the copy."""
        if self._copied is not None:
            working = torch.cuda.current_stream(self._pair[0].device)
            working.wait_event(self._copied)
            for tensor in self._pair:
                tensor.record_stream(working)  # else its memory is free once the copy is done
        return self._pair

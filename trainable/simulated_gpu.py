"""GPUs that there are not: tensors stay on the CPU, and their memory is counted and limited."""

import gc
import os
import re
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from trainable.errors import ConfigError, expected

VARIABLE = "SEARCH_SIMULATED_GPUS"
_COUNT_AND_MEMORY = re.compile(r"([1-9]\d{0,3})x([1-9]\d*)(MiB|GiB)")
_UNITS = {"MiB": 2**20, "GiB": 2**30}


@dataclass(frozen=True)
class Simulated:
    """How many GPUs this machine shall seem to have, and the memory of each."""

    count: int
    bytes_each: int


def simulated_gpus() -> Simulated | None:
    """Return what the variable ``SEARCH_SIMULATED_GPUS`` says, such as ``2x64MiB``.

    Raises:
        ConfigError: If it says something else.
    """
    text = os.environ.get(VARIABLE, "")
    if not text:
        return None
    match = _COUNT_AND_MEMORY.fullmatch(text)
    if match is None:
        raise ConfigError(expected(VARIABLE, "number x memory, such as 2x64MiB", repr(text)))
    return Simulated(int(match[1]), int(match[2]) * _UNITS[match[3]])


class _OutOfSimulatedMemory(torch.OutOfMemoryError):
    """What torch raises on a GPU, raised by the count."""


class SimulatedGpu:
    """The CPU in place of a GPU: every tensor that work makes is counted until it is freed.

    With it, sharing GPUs can be tried on a machine without any: which trials fit side by side,
    what runs out of memory, and what becomes of it. It says nothing of a real GPU's speed.

    Args:
        total_bytes: Its memory.

    Example:
        >>> gpu = SimulatedGpu(10_000)
        >>> gpu.begin(share=0.5)
        >>> with gpu.watched():
        ...     images = torch.zeros(1_000)
        ...     flat = images.view(10, 100)
        >>> gpu.peak_bytes()
        4000
        >>> with gpu.watched():
        ...     more = torch.zeros(1_000)
        Traceback (most recent call last):
        ...
        trainable.simulated_gpu._OutOfSimulatedMemory: Simulated GPU out of memory: 8000 of 5000 \
bytes.
    """

    device = torch.device("cpu")
    kind = "simulated GPU"
    context_bytes = 0

    def __init__(self, total_bytes: int) -> None:
        self.total_bytes = total_bytes
        self._limit = total_bytes
        self._peak = 0
        self._taken = 0
        self._sizes: dict[int, int] = {}

    def begin(self, share: float) -> None:
        """Forget the peak so far, and let work take at most a share from now on."""
        gc.collect()
        self._peak = self._taken
        self._limit = int(share * self.total_bytes)

    def peak_bytes(self) -> int:
        """Return the most that tensors have taken since ``begin``."""
        return self._peak

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Count the tensors that are made in a block."""
        with _Counting(self._take):
            yield

    def _take(self, storage: torch.UntypedStorage) -> None:
        key = storage._cdata
        if key in self._sizes:
            return
        taken = self._taken + storage.nbytes()
        if taken > self._limit:
            raise _OutOfSimulatedMemory(
                f"Simulated GPU out of memory: {taken} of {self._limit} bytes."
            )
        self._sizes[key] = storage.nbytes()
        self._taken = taken
        self._peak = max(self._peak, taken)
        weakref.finalize(storage, self._give_back, key)

    def _give_back(self, key: int) -> None:
        self._taken -= self._sizes.pop(key)


class _Counting(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Shows what every operation returns to a function, those of backward passes included."""

    def __init__(self, take: Callable[[torch.UntypedStorage], None]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._take = take

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401 - whatever the operation returns
        del types
        result = func(*args, **(kwargs or {}))
        # What deep copies make is first seen where it is used.
        for leaf in tree_leaves((args, kwargs, result)):
            if isinstance(leaf, torch.Tensor) and not leaf.is_meta:
                self._take(leaf.untyped_storage())
        return result

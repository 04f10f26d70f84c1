"""The memory of a GPU that trials share: what one takes of it, and that it takes no more."""

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

import torch

from trainable.in_parts import free_memory
from trainable.simulated_gpu import SimulatedGpu, simulated_gpus

# What a process takes for CUDA itself, its kernels and libraries; torch does not count it.
CONTEXT_BYTES = 600 * 2**20
# Fragments, a larger last batch of another shape, another algorithm that cuDNN chooses.
HEAD_ROOM = 1.15


class GpuMemory(Protocol):
    """One GPU as a trial's process sees it."""

    @property
    def device(self) -> torch.device:
        """Where tensors are put."""

    @property
    def kind(self) -> str:
        """Name of the kind of GPU."""

    @property
    def total_bytes(self) -> int:
        """Its memory."""

    @property
    def context_bytes(self) -> int:
        """What a process takes of it besides tensors."""

    def begin(self, share: float) -> None:
        """Forget the peak so far, and let this process take at most a share from now on.

        More is a ``torch.OutOfMemoryError`` here, and no neighbour's.
        """

    def peak_bytes(self) -> int:
        """Return the most that tensors have taken since ``begin``."""

    def watched(self) -> AbstractContextManager[object]:
        """Return the context in which everything that uses the GPU must run."""


class CudaGpu:
    """A real one: torch's own allocator keeps the books and the limit.

    Args:
        number: Which of those that this process sees.
    """

    def __init__(self, number: int = 0) -> None:
        properties = torch.cuda.get_device_properties(number)
        self.device = torch.device("cuda", number)
        self.kind = str(properties.name)
        self.total_bytes = int(properties.total_memory)
        self.context_bytes = CONTEXT_BYTES

    def begin(self, share: float) -> None:
        """Forget the peak so far, and let this process take at most a share from now on."""
        free_memory(self.device)
        torch.cuda.reset_peak_memory_stats(self.device)
        of_tensors = share - self.context_bytes / self.total_bytes if share < 1 else 1.0
        torch.cuda.set_per_process_memory_fraction(max(0.0, of_tensors), self.device)

    def peak_bytes(self) -> int:
        """Return the most that was reserved since ``begin``: neighbours cannot use it either."""
        return torch.cuda.max_memory_reserved(self.device)

    def watched(self) -> AbstractContextManager[object]:
        """Return a context that does nothing."""
        return nullcontext()


def gpus_here() -> list[GpuMemory]:
    """Return the GPUs that this process sees, or the simulated ones that stand for them.

    Raises:
        ConfigError: If the variable that describes simulated ones cannot be read.
    """
    simulated = simulated_gpus()
    if simulated is not None:
        return [SimulatedGpu(simulated.bytes_each) for _ in range(simulated.count)]
    return [CudaGpu(number) for number in range(torch.cuda.device_count())]


def needed_bytes(gpu: GpuMemory, peak_bytes: int) -> int:
    """Return the memory that a process needs whose tensors take so much at the peak.

    Example:
        >>> needed_bytes(SimulatedGpu(2**30), 100)
        115
    """
    return round(peak_bytes * HEAD_ROOM) + gpu.context_bytes

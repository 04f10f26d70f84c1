"""Work on a batch in as few parts as fit into memory."""

import gc
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import nn

from trainable.errors import TrialError, expected

Result = TypeVar("Result")

# RuntimeErrors by which torch and the libraries below it say that memory has run out. With
# little of it left, cuBLAS cannot make its handle and cuDNN finds no algorithm.
OUT_OF_MEMORY = (
    "CUDA out of memory",
    "DefaultCPUAllocator: can't allocate memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "cublasCreate",
    "CUDNN_STATUS_ALLOC_FAILED",
    "HOST_ALLOCATION_FAILED",
    "unable to find an engine to execute this computation",
)
MAX_REASON = 160


@dataclass
class InParts:
    """Number of parts that batches are worked on in, doubled whenever memory runs out.

    Args:
        num_parts: Parts to begin with; what has been found to fit stays for later batches.
        smallest: Images that a part needs at least.
        may_split: Whether there may be more parts than one; else that memory has run out is for
            others to mend.
    """

    num_parts: int = 1
    smallest: int = 1
    may_split: bool = True

    def fitted(
        self,
        work: Callable[[int], Result],
        *,
        num_images: int,
        device: torch.device,
        start_over: Callable[[], None] = lambda: None,
    ) -> Result:
        """Do some work in parts, again from its start in twice as many if memory runs out.

        While memory suffices, this is a plain call.

        Args:
            work: Is given the number of parts.
            num_images: Images of the batch.
            device: Where it runs out.
            start_over: Undoes what the failed work has left.

        Returns:
            What the work returns.

        Raises:
            TrialError: If memory does not suffice for the smallest parts either.
            RuntimeError, MemoryError: If it does not suffice for the whole, which may not be
                split.
        """
        while True:
            try:
                return work(self.num_parts)
            except (RuntimeError, MemoryError) as error:
                if not (self.may_split and is_out_of_memory(error)):
                    raise
                reason = out_of_memory_text(error)
            # Not in the handler: there, the error still holds the frames that hold the tensors.
            self._double(num_images, reason)
            start_over()
            free_memory(device)

    def _double(self, num_images: int, reason: str) -> None:
        if num_images // (2 * self.num_parts) < self.smallest:
            largest = -(-num_images // self.num_parts)
            raise TrialError(_worded(f"memory for {largest} of {num_images} images", reason))
        self.num_parts *= 2


def smallest_part(model: nn.Module) -> int:
    """Return how many images a part of a batch needs at least: batch norm compares some."""
    compares = any(isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d) for m in model.modules())
    return 2 if compares else 1


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error says that a device or this machine has no memory left.

    Example:
        >>> is_out_of_memory(torch.OutOfMemoryError()), is_out_of_memory(RuntimeError("shape"))
        (True, False)
    """
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(text in str(error) for text in OUT_OF_MEMORY)


def out_of_memory_text(error: BaseException) -> str:
    """Return what such an error says, on one line and not too long."""
    line = " ".join(str(error).split()) or type(error).__name__
    return line if len(line) <= MAX_REASON else f"{line[:MAX_REASON]}…"


def out_of_memory(error: BaseException) -> TrialError:
    """Return the failure of a trial that ran out of memory where no smaller parts help."""
    return TrialError(
        _worded("memory for the network and its training", out_of_memory_text(error))
    )


def free_memory(device: torch.device) -> None:
    """Give back what nothing refers to any more."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()


def _worded(what: str, reason: str) -> str:
    remedy = "Choose smaller images or another backbone, or run fewer trials at a time."
    return expected("memory", what, f"'{reason}'", remedy)

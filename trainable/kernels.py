"""How torch's libraries compute on a GPU: as fast as they can, or the same bits every time."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

# What cuBLAS needs for the same bits every time, from before its first use in a process on.
CUBLAS_WORKSPACE = {"CUBLAS_WORKSPACE_CONFIG": ":4096:8"}


@dataclass(frozen=True)
class Kernels:
    """What the libraries may choose.

    Args:
        tf32: Whether sums of products may keep 10 of float32's 23 bits.
        autotuned: Whether cuDNN times its algorithms for each new shape, and takes the fastest.
        deterministic: Whether only algorithms are taken that give the same bits every time.
    """

    tf32: bool
    autotuned: bool
    deterministic: bool

    @classmethod
    def of_training(cls, *, deterministic: bool) -> "Kernels":
        """Return the fastest, or the fastest of those that give the same bits every time."""
        return cls(tf32=True, autotuned=not deterministic, deterministic=deterministic)

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Choose so for a while, and put back what was before; without a GPU nothing changes.

        Raises:
            RuntimeError: If a layer has no deterministic form and one is asked for.
        """
        if self.deterministic:
            os.environ.update(CUBLAS_WORKSPACE)
        cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
        before = cudnn.allow_tf32, matmul.allow_tf32, cudnn.benchmark
        was_deterministic = torch.are_deterministic_algorithms_enabled()
        cudnn.allow_tf32 = matmul.allow_tf32 = self.tf32
        cudnn.benchmark = self.autotuned
        torch.use_deterministic_algorithms(self.deterministic)
        try:
            yield
        finally:
            cudnn.allow_tf32, matmul.allow_tf32, cudnn.benchmark = before
            torch.use_deterministic_algorithms(was_deterministic)


# What is recorded in training is what an exported model predicts anywhere.
EVALUATION = Kernels(tf32=False, autotuned=False, deterministic=False)

"""Numeric precision of a trial behind one object, so that the loop has no special cases."""

from contextlib import AbstractContextManager
from typing import Any, Literal

import torch
from torch import Tensor, nn

PrecisionName = Literal["fp32", "bf16", "fp16"]
DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


class Precision:
    """Autocast, and gradient scaling where float16 needs it; both do nothing in float32.

    Args:
        name: fp32, bf16 or fp16.
        device: Where the trial runs.
    """

    def __init__(self, name: PrecisionName, device: torch.device) -> None:
        self.name = name
        self.device = device
        self.scaler = torch.amp.GradScaler(device.type, enabled=name == "fp16")

    def autocast(self) -> AbstractContextManager[Any]:
        """Return the context in which the forward pass runs."""
        enabled = self.name != "fp32"
        return torch.autocast(self.device.type, DTYPES.get(self.name), enabled=enabled)

    def backward(self, loss: Tensor) -> None:
        """Compute gradients, scaled if need be."""
        self.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]  # torch's own

    def step(
        self, optimizer: torch.optim.Optimizer, model: nn.Module, gradient_clip: float | None
    ) -> None:
        """Unscale, clip the gradients' norm, take one optimizer step and forget the gradients."""
        if gradient_clip is not None:
            self.scaler.unscale_(optimizer)
            nn.utils.clip_grad_norm_(model.parameters(), gradient_clip)
        self.scaler.step(optimizer)
        self.scaler.update()
        optimizer.zero_grad(set_to_none=True)

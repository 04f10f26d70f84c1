"""Numeric precision of a trial behind one object, so that the loop has no special cases."""

from contextlib import AbstractContextManager
from typing import Any, Literal

import torch
from torch import Tensor, nn

from trainable.errors import TrialError, expected

PrecisionName = Literal["fp32", "bf16", "fp16"]
# Below, a gradient of more than float16's largest number would overflow unscaled, too.
SMALLEST_SCALE = 1.0
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

    def backward(self, loss: Tensor, weight: float = 1.0) -> None:
        """Add the gradients of a weighted loss, scaled if need be, to those that are there."""
        scaled = self.scaler.scale(loss)
        scaled.backward(torch.full_like(scaled, weight))  # type: ignore[no-untyped-call]

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

    def check(self, epoch: int) -> None:
        """Check the gradients' scale: the scaler passes over steps that are not finite.

        Args:
            epoch: The epoch that has been trained, counted from 0.

        Raises:
            TrialError: If they have not been at any scale that makes sense.
        """
        if self.scaler.is_enabled() and (scale := self.scaler.get_scale()) < SMALLEST_SCALE:
            what, got = "finite numbers", f"others down to a scale of {scale:g}"
            remedy = f"In epoch {epoch + 1}, in fp16; bf16 has the range of fp32."
            raise TrialError(expected("gradients", what, got, remedy))

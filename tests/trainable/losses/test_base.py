"""The precision in which losses are computed."""

import pytest
import torch
from torch import Tensor

from trainable.losses.base import in_full_precision


@in_full_precision
def product_loss(logits_NC: Tensor, targets_NC: Tensor, *, factor: float) -> Tensor:
    """A matrix product, which autocast would compute in half precision."""
    return factor * (logits_NC @ targets_NC.T).mean()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_autocast_does_not_reach_into_a_loss(dtype):
    logits_NC = torch.tensor([[1.0, 3.0]], dtype=dtype)
    targets_NC = torch.tensor([[1 / 3, 2 / 3]])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = product_loss(logits_NC, targets_NC, factor=3.0)
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(7.0, rel=1e-6)

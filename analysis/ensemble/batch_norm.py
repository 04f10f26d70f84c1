"""Statistics of batch norm, estimated anew for weights that training has not seen together."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import nn

from analysis.member import Member
from trainable.evaluate import BATCH_SIZE, Images


@torch.no_grad()
def estimate_batch_norm(member: Member, images: Images, rows_N: np.ndarray) -> None:
    """Set the means and variances of all batch norms to those of some images.

    Those of averaged networks are not the averages of theirs.

    Args:
        member: The network; in evaluation mode afterwards. One without batch norm stays as it is.
        images: Decoded images of the network's size by row number.
        rows_N: int64 [N], the rows to take, in any order.

    References:
        Izmailov et al. 2018, Averaging weights leads to wider optima (``update_bn``).
    """
    norms = [m for m in member.model.modules() if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d)]
    if not norms:
        return
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain mean over all batches
        norm.train()
    for batch in _batches(rows_N):
        member.model(torch.from_numpy(np.ascontiguousarray(images[batch])).to(member.device))
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    member.model.eval()


def _batches(rows_N: np.ndarray) -> Iterator[np.ndarray]:
    """Yield batches of equal size, or one smaller by one, since each counts the same."""
    yield from np.array_split(rows_N, max(1, round(len(rows_N) / BATCH_SIZE)))

"""Is the training loop as fast as one written by hand? ``python -m benchmarks.training_loop``.

Trains epochs of a trial and of a plain PyTorch loop in turn, on the same batches, which the plain
loop has in memory while the trial reads them. The plain loop has the same network, in the same
layout of memory, and either the same fused optimizer or the form that torch takes by itself.
"""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

# Threads that wait for each other take the other trials' cores; read when torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import pandas as pd
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812 - the field's name for it

from benchmarks.side_by_side import row, timed_in_turns
from trainable.cache_place import default_cache_dir
from trainable.config import parse_config
from trainable.data.batches import Batch
from trainable.data.prepared import PreparedData, prepare_data
from trainable.timm_import import timm
from trainable.trial import Trial

SOURCE = "faces:people=40"
SIZE = "64x48"
LR, WEIGHT_DECAY = 1e-3, 0.01
# The small one of the quick space, a medium one as teams take it first.
BACKBONES = {"test_efficientnet": 9, "resnet18": 3}
NORMALISATION = (timm.data.IMAGENET_DEFAULT_MEAN, timm.data.IMAGENET_DEFAULT_STD)
GOALS = {"the same fused optimizer": 0.97, "torch's default optimizer": 1.0}


def main() -> None:
    """Print how many times as fast as the plain loop the trial's is."""
    print(table().round(3).to_string(index=False))


def table() -> pd.DataFrame:
    """Return how many times as fast as a plain loop's an epoch of the trial's is.

    Returns:
        A row a backbone and optimizer of the plain loop, as ``side_by_side.row`` returns it.
    """
    torch.set_num_threads(1)
    data = prepare_data(SOURCE, cache_dir=default_cache_dir(), seed=0)
    rows = []
    for backbone, repeats in BACKBONES.items():
        for (against, goal), fused in zip(GOALS.items(), (True, None), strict=True):
            with TemporaryDirectory() as folder:
                trial = _trial(backbone, data, Path(folder))
                plain = plain_epoch(backbone, data, list(trial._loop.batches.of_epoch(0)), fused)
                pairs = timed_in_turns(trial._train, plain, repeats=repeats)
                trial.close()
            what = f"epoch of {backbone} at {SIZE}"
            named = (what, f"a plain loop, {against}")
            rows.append(row(*named, pairs, goal=f"{goal:g} x", at_least=goal))
    return pd.concat(rows, ignore_index=True)


def _trial(backbone: str, data: PreparedData, folder: Path) -> Trial:
    flat = {
        "backbone/name": backbone,
        "resize": SIZE,
        "optimizer/name": "adamw",
        "optimizer/lr": LR,
        "optimizer/weight_decay": WEIGHT_DECAY,
    }
    return Trial(parse_config(flat), data, folder)


def plain_epoch(
    backbone: str, data: PreparedData, batches: Sequence[Batch], fused: bool | None
) -> Callable[[], float]:
    """Return what trains an epoch by hand.

    Args:
        backbone: Name of the timm model.
        data: The data, for its number of classes.
        batches: Of the epoch.
        fused: Whether AdamW is to be fused, None for what torch does by itself.
    """
    model: nn.Module = timm.create_model(backbone, num_classes=data.label_space.num_classes)
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's own
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=LR, weight_decay=WEIGHT_DECAY, fused=fused
    )
    mean, std = (255 * torch.tensor(of).view(1, 3, 1, 1) for of in NORMALISATION)

    def epoch() -> float:
        model.train()
        total = torch.zeros(())
        for images, labels in batches:
            optimizer.zero_grad()
            loss = F.cross_entropy(model((images.permute(0, 3, 1, 2) - mean) / std), labels)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            total += loss.detach()
        return total.item() / len(batches)

    return epoch


if __name__ == "__main__":
    main()

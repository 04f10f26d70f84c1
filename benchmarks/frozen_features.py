"""What do kept features of a frozen backbone save? ``python -m benchmarks.frozen_features``.

Trains and validates epochs of a head alone in turn with the backbone's features kept, and with
its forward pass in each epoch. The features have been computed before. ``as a whole`` are epochs
with all that a trial writes after each: metrics, curves and its checkpoint, backbone included.
"""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

# Threads that wait for each other take the other trials' cores; read when torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import pandas as pd
import torch

from benchmarks.side_by_side import row, timed_in_turns
from trainable.cache_place import default_cache_dir
from trainable.config import parse_config
from trainable.data.prepared import prepare_data
from trainable.frozen import KEPT_FEATURES
from trainable.trial import Trial

SOURCE = "faces:people=150"
REPEATS = 3
CASES = {"test_efficientnet": "64x48", "resnet18": "64x48"}
GOALS = (20.0, 1.0)


def main() -> None:
    """Print how many times as fast epochs are with kept features."""
    print(table().round(3).to_string(index=False))


def table() -> pd.DataFrame:
    """Return how many times as fast an epoch of the head alone is with the features kept.

    Returns:
        Two rows a backbone, as ``side_by_side.row`` returns them.
    """
    torch.set_num_threads(1)
    data = prepare_data(SOURCE, cache_dir=default_cache_dir(), seed=0)
    rows = []
    for backbone, size in CASES.items():
        flat = {
            "backbone/name": backbone,
            "resize": size,
            "freeze/name": "all",
            "epochs": 10_000,
        }
        with TemporaryDirectory() as folder:
            trial = Trial(parse_config(flat), data, Path(folder))
            epochs: dict[str, Callable[[], object]] = {
                "epoch": partial(_epoch, trial),
                "epoch as a whole": trial.run_epoch,
            }
            for (what, epoch), goal in zip(epochs.items(), GOALS, strict=True):
                pairs = timed_in_turns(epoch, without_keeping(epoch), repeats=REPEATS)
                named = (f"{what} of {backbone} at {size}, all frozen", "its forward pass")
                rows.append(row(*named, pairs, goal=f"{goal:g} x", at_least=goal))
            trial.close()
    return pd.concat(rows, ignore_index=True)


def _epoch(trial: Trial) -> None:
    """Train and validate, and write nothing."""
    trial._train()
    trial._validate()


def without_keeping(epoch: Callable[[], object]) -> Callable[[], None]:
    """Return what does an epoch as where features have no room."""

    def work() -> None:
        share, KEPT_FEATURES.share = KEPT_FEATURES.share, 0.0
        try:
            epoch()
        finally:
            KEPT_FEATURES.share = share

    return work


if __name__ == "__main__":
    main()

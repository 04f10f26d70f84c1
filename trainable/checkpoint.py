"""Weights and state of a trial on disk: the last epoch to go on from, the best one to keep.

Weights are safetensors, the rest is read with ``weights_only=True``: nothing is unpickled.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from trainable.files import written_aside

MODEL = "model.safetensors"
STATE = "state.pt"


@dataclass(frozen=True)
class Checkpoint:
    """All that a trial goes on from.

    Args:
        epoch: Epochs done.
        model: State dict of the network.
        state: Numbers, texts, tensors and their containers: optimizer, schedule, scaler, EMA.
    """

    epoch: int
    model: dict[str, Tensor]
    state: dict[str, Any]


def save_weights(path: Path, weights: dict[str, Tensor]) -> None:
    """Write a state dict as safetensors, whole or not at all."""
    with written_aside(path) as aside:
        save_file({name: tensor.contiguous() for name, tensor in weights.items()}, aside)


def load_weights(path: Path) -> dict[str, Tensor]:
    """Read a state dict onto the CPU."""
    return load_file(path)


def save_last(folder: Path, checkpoint: Checkpoint) -> None:
    """Write the checkpoint of an epoch, then drop those of earlier epochs.

    Killed at any moment, the folder holds at least one whole checkpoint once there was one.

    Args:
        folder: The trial's checkpoint folder.
        checkpoint: What to write.
    """
    target = _last_folder(folder, checkpoint.epoch)
    shutil.rmtree(target, ignore_errors=True)
    with written_aside(target) as aside:
        aside.mkdir()
        save_weights(aside / MODEL, checkpoint.model)
        torch.save({"epoch": checkpoint.epoch, **checkpoint.state}, aside / STATE)
    for older in folder.glob("last-*"):
        if older != target:
            shutil.rmtree(older, ignore_errors=True)


def load_last(folder: Path) -> Checkpoint | None:
    """Read the newest checkpoint, or return None where there is none."""
    epochs = sorted(int(path.name.removeprefix("last-")) for path in folder.glob("last-*"))
    if not epochs:
        return None
    newest = _last_folder(folder, epochs[-1])
    state = torch.load(newest / STATE, map_location="cpu", weights_only=True)
    epoch = state.pop("epoch")
    return Checkpoint(epoch=epoch, model=load_weights(newest / MODEL), state=state)


def drop_last(folder: Path) -> None:
    """Delete what only an unfinished trial needs."""
    for path in folder.glob("last-*"):
        shutil.rmtree(path, ignore_errors=True)


def _last_folder(folder: Path, epoch: int) -> Path:
    return folder / f"last-{epoch:05d}"

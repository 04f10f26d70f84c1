"""Weights and state of a trial on disk: the last epoch to go on from, the best one to keep.

Weights are safetensors, the rest is read with ``weights_only=True``: nothing is unpickled.
"""

import io
import json
import shutil
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load, load_file, save
from torch import Tensor

from trainable.files import remove, write_json, written_aside

MODEL = "model.safetensors"
STATE = "state.pt"
CHECKSUMS = "crc32.json"
LAST, DAMAGED = "last-", "damaged-"


class DamagedCheckpointError(Exception):
    """A checkpoint is not what was written."""


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
        aside.write_bytes(_weights_bytes(weights))


def load_weights(path: Path) -> dict[str, Tensor]:
    """Read a state dict onto the CPU."""
    return load_file(path)


def save_last(folder: Path, checkpoint: Checkpoint) -> None:
    """Write the checkpoint of an epoch, then drop those of earlier epochs.

    Killed at any moment, the folder holds at least one whole checkpoint once there was one.

    Args:
        folder: The trial's checkpoint folder.
        checkpoint: What to write.

    Raises:
        UnwritableError: If the disk is full, or may not be written to; what was there is there.
    """
    target = _last_folder(folder, checkpoint.epoch)
    state = {"epoch": checkpoint.epoch, **checkpoint.state}
    contents = {MODEL: _weights_bytes(checkpoint.model), STATE: _state_bytes(state)}
    with written_aside(target) as aside:
        aside.mkdir()
        for name, content in contents.items():
            (aside / name).write_bytes(content)
        write_json(aside / CHECKSUMS, {name: zlib.crc32(c) for name, c in contents.items()})
        remove(target)
    for older in (*folder.glob(f"{LAST}*"), *folder.glob(f"{DAMAGED}*")):
        if older != target:
            shutil.rmtree(older, ignore_errors=True)


def load_last(folder: Path) -> Checkpoint | None:
    """Read the newest whole checkpoint, or return None where there is none.

    Newer ones that are damaged are renamed, and stay until the next one is written.
    """
    for path in sorted(folder.glob(f"{LAST}*"), reverse=True):
        try:
            return _read(path)
        except DamagedCheckpointError:
            damaged = path.with_name(path.name.replace(LAST, DAMAGED))
            remove(damaged)
            path.rename(damaged)
    return None


def num_damaged(folder: Path) -> int:
    """Return how many damaged checkpoints ``load_last`` has found since the last was written."""
    return len(list(folder.glob(f"{DAMAGED}*")))


def drop_last(folder: Path) -> None:
    """Delete what only an unfinished trial needs."""
    for path in (*folder.glob(f"{LAST}*"), *folder.glob(f"{DAMAGED}*")):
        shutil.rmtree(path, ignore_errors=True)


def _read(path: Path) -> Checkpoint:
    """Read a checkpoint whose files are those that were written.

    Raises:
        DamagedCheckpointError: If they are not.
    """
    try:
        checksums = json.loads((path / CHECKSUMS).read_bytes())
        contents = {name: (path / name).read_bytes() for name in (MODEL, STATE)}
        whole = all(zlib.crc32(content) == checksums[name] for name, content in contents.items())
    except (FileNotFoundError, ValueError, LookupError, TypeError) as error:
        raise DamagedCheckpointError(str(path)) from error
    if not whole:
        raise DamagedCheckpointError(str(path))
    state = torch.load(io.BytesIO(contents[STATE]), map_location="cpu", weights_only=True)
    return Checkpoint(epoch=state.pop("epoch"), model=load(contents[MODEL]), state=state)


def _weights_bytes(weights: dict[str, Tensor]) -> bytes:
    # Not save_file and torch.save to a path: of a full disk, they tell in words of their own.
    return save({name: tensor.contiguous() for name, tensor in weights.items()})


def _state_bytes(state: dict[str, Any]) -> bytes:
    content = io.BytesIO()
    torch.save(state, content)
    return content.getvalue()


def _last_folder(folder: Path, epoch: int) -> Path:
    return folder / f"{LAST}{epoch:05d}"

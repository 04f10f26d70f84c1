"""How many images a second train on a GPU: in a trial, in timm's own loop, and at the most.

timm's loop is that of its ``train.py``: its loader with augmentation in worker processes and its
prefetcher, autocast in bfloat16, its scaler, channels_last, AdamW, and a loss that is read every
50 steps. The most that the GPU could do is a batch that lies on it, trained again and again.

References:
    https://github.com/huggingface/pytorch-image-models/blob/main/train.py
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F  # noqa: N812 - the field's name for it
from torch.utils.data import Dataset

from trainable.config import parse_config
from trainable.cpus import usable_cpus
from trainable.data.prepared import PreparedData
from trainable.timm_import import timm
from trainable.trial import Machine, Trial

LR, WEIGHT_DECAY = 1e-4, 0.01
LOG_EVERY = 50
CEILING_STEPS = 20


@dataclass(frozen=True)
class Work:
    """What is trained.

    Args:
        backbone: Name of the timm model.
        size: Height and width.
        batch_size: Images a step.
        precision: As in a configuration, ``bf16`` or ``fp32``.
    """

    backbone: str
    size: tuple[int, int]
    batch_size: int
    precision: str = "bf16"

    def __str__(self) -> str:
        """Return it as a row of a table names it."""
        return f"{self.backbone} at {self.size[0]}x{self.size[1]}"


def rates(work: Work, data: PreparedData, device: torch.device) -> dict[str, float]:
    """Return images a second of ``ours``, ``timm`` and ``ceiling``; an epoch before warms up.

    Args:
        work: What is trained.
        data: Its training part is an epoch.
        device: Where.
    """
    num_workers = max(1, usable_cpus() - 1)
    return {
        "ours": ours(work, data, device, num_workers),
        "timm": timms(work, data, device, num_workers),
        "ceiling": ceiling(work, data.label_space.num_classes, device),
    }


def config_of(work: Work) -> dict[str, Any]:
    """Return the configuration of a trial that does some work, flat."""
    return {
        "backbone/name": work.backbone,
        "resize": f"{work.size[0]}x{work.size[1]}",
        "batch_size": work.batch_size,
        "precision": work.precision,
        "augmentation/name": "base",
        "optimizer/name": "adamw",
        "optimizer/lr": LR,
        "optimizer/weight_decay": WEIGHT_DECAY,
    }


def ours(work: Work, data: PreparedData, device: torch.device, num_workers: int) -> float:
    """Return the images a second of a trial."""
    machine = Machine(device, num_workers, keeps_images=device.type == "cuda")
    with TemporaryDirectory() as folder:
        trial = Trial(parse_config(config_of(work)), data, Path(folder), machine=machine)
        try:
            return trial._loop.batches.num_images / second_time(trial._train, device)
        finally:
            trial.close()


def timms(work: Work, data: PreparedData, device: torch.device, num_workers: int) -> float:
    """Return the images a second of timm's loop."""
    dataset = Files(data)
    loader = timm.data.create_loader(
        dataset,
        (3, *work.size),
        work.batch_size,
        is_training=True,
        num_workers=num_workers,
        pin_memory=device.type == "cuda",
        device=device,
    )
    network, optimizer = trained(work, data.label_space.num_classes, device)
    scaler = timm.utils.NativeScaler(device=device.type)

    def epoch() -> None:
        network.train()
        losses = timm.utils.AverageMeter()
        for number, (images, labels) in enumerate(loader):
            optimizer.zero_grad()
            with autocast(work, device):
                images = images.contiguous(memory_format=torch.channels_last)  # noqa: PLW2901
                loss = F.cross_entropy(network(images), labels)
            scaler(loss, optimizer, parameters=network.parameters())
            if number % LOG_EVERY == 0:
                losses.update(loss.item(), len(labels))

    return len(loader) * work.batch_size / second_time(epoch, device)


def ceiling(work: Work, num_classes: int, device: torch.device) -> float:
    """Return the images a second of one batch that is on the device."""
    network, optimizer = trained(work, num_classes, device)
    images = torch.randn(work.batch_size, 3, *work.size, device=device)
    images = images.contiguous(memory_format=torch.channels_last)
    labels = torch.randint(num_classes, (work.batch_size,), device=device)
    network.train()

    def epoch() -> None:
        for _ in range(CEILING_STEPS):
            optimizer.zero_grad()
            with autocast(work, device):
                loss = F.cross_entropy(network(images), labels)
            loss.backward()  # type: ignore[no-untyped-call]  # torch's own
            optimizer.step()

    return CEILING_STEPS * work.batch_size / second_time(epoch, device)


def trained(
    work: Work, num_classes: int, device: torch.device
) -> tuple[nn.Module, torch.optim.Optimizer]:
    """Return a network with its optimizer."""
    has_one_size = timm.get_pretrained_cfg(work.backbone).fixed_input_size
    size = {"img_size": work.size} if has_one_size else {}
    network: nn.Module = timm.create_model(work.backbone, num_classes=num_classes, **size)
    network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's
    is_fused = True if device.type == "cuda" else None
    parameters = network.parameters()
    return network, torch.optim.AdamW(parameters, lr=LR, weight_decay=WEIGHT_DECAY, fused=is_fused)


def autocast(work: Work, device: torch.device) -> torch.autocast:
    """Return the context of a forward pass."""
    return torch.autocast(device.type, torch.bfloat16, enabled=work.precision == "bf16")


def second_time(epoch: Callable[[], object], device: torch.device) -> float:
    """Return the seconds that something takes when it is done for the second time."""
    epoch()
    wait_for(device)
    start = time.perf_counter()
    epoch()
    wait_for(device)
    return time.perf_counter() - start


def wait_for(device: torch.device) -> None:
    """Wait until a GPU has done all that it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


class Files(Dataset[tuple[Any, int]]):
    """The images of a training part as files, as timm's loader takes them.

    Args:
        data: Where they are, and their classes.
    """

    def __init__(self, data: PreparedData) -> None:
        rows = data.rows("train")
        self.paths = [data.index.root / path for path in data.index.table["path"].iloc[rows]]
        self.labels: np.ndarray = data.labels()[rows]
        self.transform: Any = None  # timm's loader sets it

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.paths)

    def __getitem__(self, number: int) -> tuple[Any, int]:
        """Return an image as the transform makes it, and its class number."""
        with Image.open(self.paths[number]) as file:
            return self.transform(file.convert("RGB")), int(self.labels[number])

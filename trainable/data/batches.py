"""Batches of a training epoch: drawn by the sampler, augmented, the same for any worker count."""

import os
import signal
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import parent_process
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.multiprocessing import _prctl_pr_set_pdeathsig  # type: ignore[attr-defined]
from torch.utils.data import DataLoader, Dataset

from trainable.augmentations.apply import augment
from trainable.data.on_device import moved
from trainable.samplers.base import Sampler

AUGMENTATION_STREAM = 1
# No batch takes so long; a network file system that comes back does within that.
WORKER_TIMEOUT_S = 600.0


class Batch(NamedTuple):
    """Images uint8 [N, H, W, 3], or features [N, F] of them, and class numbers int64 [N]."""

    images: Tensor
    labels: Tensor


class Draw(NamedTuple):
    """One image of an epoch: which epoch, the how-manieth of it, and which training image."""

    epoch: int
    position: int
    sample: int


@dataclass(frozen=True)
class TrainingImages(Dataset[Batch]):
    """The training part, read and augmented a batch at a time.

    A draw's augmentation is a function of (seed, epoch, position): it depends neither on the
    number of workers nor on what was read before, and an image that a sampler draws twice in an
    epoch is augmented twice.

    Args:
        images: Decoded images of the whole data set, uint8 [num_images, H, W, 3].
        rows: int64 [num_train], rows of the training part.
        labels: int64 [num_train], its class numbers as trained on.
        augmentation: An albumentations pipeline, or None.
        seed: The trial's seed.
    """

    images: np.ndarray
    rows: np.ndarray
    labels: np.ndarray
    augmentation: Any
    seed: int

    def __len__(self) -> int:
        """Return the number of training images."""
        return len(self.rows)

    def __getitem__(self, draw: Draw) -> Batch:
        """Return a batch of one."""
        return self.__getitems__([draw])

    def __getitems__(self, draws: list[Draw]) -> Batch:
        """Return the batch of some draws."""
        samples = np.array([draw.sample for draw in draws])
        pixels = self.images[self.rows[samples]]
        if self.augmentation is not None:
            keys = [(self.seed, d.epoch, d.position, AUGMENTATION_STREAM) for d in draws]
            pixels = np.stack(
                [augment(self.augmentation, p, k) for p, k in zip(pixels, keys, strict=True)]
            )
        return Batch(torch.from_numpy(pixels), torch.from_numpy(self.labels[samples]))


class EpochOrder:
    """Lists of draws, a list a batch; the last, incomplete one is left out of larger epochs.

    Args:
        sampler: Draws the images of an epoch.
        num_samples: Training images.
        batch_size: Images a batch.
    """

    def __init__(self, sampler: Sampler, *, num_samples: int, batch_size: int) -> None:
        self.sampler = sampler
        self.batch_size = min(batch_size, num_samples)
        self.num_batches = num_samples // self.batch_size
        self.epoch = 0

    def __len__(self) -> int:
        return self.num_batches

    def __iter__(self) -> Iterator[list[Draw]]:
        samples = self.samples(self.epoch).tolist()
        for start in range(0, len(samples), self.batch_size):
            of_batch = samples[start : start + self.batch_size]
            yield [Draw(self.epoch, start + i, s) for i, s in enumerate(of_batch)]

    def samples(self, epoch: int) -> NDArray[np.int64]:
        """Return the training images of an epoch, batch after batch."""
        return self.sampler.draw(epoch)[: self.num_batches * self.batch_size]


def _as_it_is(batch: Any) -> Any:  # noqa: ANN401 - torch's stubs expect a list of samples
    return batch


def _end_with_parent(worker: int) -> None:
    """Have this worker killed when the process that started it ends, whatever it is at.

    Torch's own workers look for their parent between batches only: one that hangs in a batch
    would stay for ever.
    """
    del worker
    _prctl_pr_set_pdeathsig(signal.SIGKILL)
    parent = parent_process()
    if parent is None or not parent.is_alive():  # it ended before it could be told to
        os._exit(1)


class Batches(ABC):
    """The batches of any epoch.

    Args:
        labels: int64 [num_train], class numbers of the training images.
        order: Which images each epoch sees.
    """

    def __init__(self, labels: NDArray[np.int64], order: EpochOrder) -> None:
        self._labels = labels
        self._order = order

    def __len__(self) -> int:
        """Return the number of batches an epoch."""
        return len(self._order)

    @property
    def num_images(self) -> int:
        """Return the number of images an epoch."""
        return len(self._order) * self._order.batch_size

    @property
    @abstractmethod
    def as_stored(self) -> bool:
        """Whether every image is the same whenever it is drawn."""

    @abstractmethod
    def of_epoch(self, epoch: int) -> Iterator[Batch]:
        """Return the batches of an epoch, counted from 0."""

    def of_kept(self, kept: Tensor, rows: NDArray[np.int64]) -> "KeptBatches":
        """Return the batches of the same draws, taken from what is on the device already.

        Args:
            kept: Anything by row, [num_rows, ...].
            rows: int64 [num_train], the row of each training image.
        """
        return KeptBatches(kept, rows, self._labels, self._order)


class TrainingBatches(Batches):
    """Iterates over the batches of any epoch.

    Args:
        dataset: The training part.
        sampler: Draws the images of an epoch.
        batch_size: Images a batch; a last batch that would be smaller is left out.
        num_workers: Processes that read and augment; 0 does it in this one.
        pin_memory: Whether batches are made ready for an asynchronous copy to a GPU.
        timeout_s: Seconds after which a worker that gives no batch is an error.
    """

    def __init__(
        self,
        dataset: TrainingImages,
        sampler: Sampler,
        *,
        batch_size: int,
        num_workers: int = 0,
        pin_memory: bool = False,
        timeout_s: float = WORKER_TIMEOUT_S,
    ) -> None:
        order = EpochOrder(sampler, num_samples=len(dataset), batch_size=batch_size)
        super().__init__(dataset.labels, order)
        self._dataset = dataset
        self._loader: DataLoader[Batch] = DataLoader(
            dataset,
            batch_sampler=order,
            collate_fn=_as_it_is,
            num_workers=num_workers,
            persistent_workers=num_workers > 0,
            pin_memory=pin_memory,
            worker_init_fn=_end_with_parent,
            timeout=timeout_s if num_workers > 0 else 0,
            # Else it takes a number an epoch from the stream that dropout draws from.
            generator=torch.Generator(),
        )

    @property
    def as_stored(self) -> bool:
        """Whether nothing is augmented."""
        return self._dataset.augmentation is None

    def of_epoch(self, epoch: int) -> Iterator[Batch]:
        """Return the batches of an epoch, counted from 0.

        Iterating raises a RuntimeError when a worker gives no batch in time, or has died.
        """
        self._order.epoch = epoch
        return iter(self._loader)


class KeptBatches(Batches):
    """Batches of any epoch, of what lies on the trial's device as it is to be trained on.

    An epoch moves nothing to the device but the numbers of its rows and their labels.

    Args:
        kept: Anything by row, [num_rows, ...].
        rows: int64 [num_train], the row of each training image.
        labels: int64 [num_train], its class number.
        order: Which images each epoch sees.
    """

    def __init__(
        self, kept: Tensor, rows: NDArray[np.int64], labels: NDArray[np.int64], order: EpochOrder
    ) -> None:
        super().__init__(labels, order)
        self._kept = kept
        self._rows = rows

    @property
    def as_stored(self) -> bool:
        """Whether every image is the same whenever it is drawn: always."""
        return True

    def of_epoch(self, epoch: int) -> Iterator[Batch]:
        """Return the batches of an epoch, counted from 0."""
        samples = self._order.samples(epoch)
        device, size = self._kept.device, self._order.batch_size
        rows = moved(torch.from_numpy(self._rows[samples]), device).view(-1, size)
        labels = moved(torch.from_numpy(self._labels[samples]), device).view(-1, size)
        for of_rows, of_labels in zip(rows.unbind(), labels.unbind(), strict=True):
            yield Batch(self._kept.index_select(0, of_rows), of_labels)

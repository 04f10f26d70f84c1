"""How fast do images become batches? ``python -m benchmarks.input_pipeline``.

Reads and augments epochs of the training part from the decoded cache, as a trial does, in turn
with what a loop written by hand does: PIL opens and resizes each JPEG, albumentations augments
it, normalises it and makes a tensor of it, and torch's DataLoader collates the batch. Both on one
core, in one process. The trial's network normalises by itself, which is added to its time.
"""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

# Threads that wait for each other take the other trials' cores; read when torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import cv2
import numpy as np
import pandas as pd
import torch
from albumentations.pytorch import ToTensorV2
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from benchmarks.by_hand import by_hand
from benchmarks.side_by_side import row, timed_in_turns
from trainable.augmentations.base import Pipeline
from trainable.augmentations.library import A
from trainable.augmentations.presets import BaseAugmentation, NoAugmentation
from trainable.cache_place import default_cache_dir
from trainable.data.batches import TrainingBatches, TrainingImages
from trainable.data.decode import decode_image
from trainable.data.prepared import prepare_data
from trainable.model import normalised
from trainable.samplers.shuffled import PlainSampling
from trainable.timm_import import timm

SOURCE = "faces:people=20"
# Width and height of the mask competition's photos.
PHOTO_SIZE = (384, 512)
SIZE = (128, 96)
BATCH_SIZE = 64
REPEATS = 5
GOAL = 8.0
NORMALISATION = (timm.data.IMAGENET_DEFAULT_MEAN, timm.data.IMAGENET_DEFAULT_STD)
AGAINST = "PIL, albumentations and DataLoader"
NUM_IMAGES = 2 * BATCH_SIZE
AUGMENTATIONS = {
    "no augmentation": NoAugmentation(),
    "augmentation base": BaseAugmentation(),
}


def main() -> None:
    """Print how many times as many images a second a trial reads and augments."""
    print(table().round(3).to_string(index=False))


def table() -> pd.DataFrame:
    """Return how many times as many images a second become batches on one core.

    Returns:
        A row an augmentation, as ``side_by_side.row`` returns it.
    """
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    rows = []
    with TemporaryDirectory() as name:
        folder = Path(name)
        photos = write_photos(folder)
        for what, augmentation in AUGMENTATIONS.items():
            pipeline = augmentation.build(SIZE)
            ours = cached_epoch(folder / "cache.npy", pipeline)
            theirs = decoding_epoch(photos, by_hand(pipeline))
            pairs = timed_in_turns(ours, theirs, repeats=REPEATS)
            named = f"input pipeline at {SIZE[0]}x{SIZE[1]}, {what}"
            rows.append(row(named, AGAINST, pairs, goal=f"{GOAL:g} x", at_least=GOAL))
    return pd.concat(rows, ignore_index=True)


def write_photos(folder: Path) -> list[Path]:
    """Write photos as JPEG files, and the cache of them; return the files."""
    data = prepare_data(SOURCE, cache_dir=default_cache_dir(), seed=0)
    photos, decoded = [], []
    for number, path in enumerate(data.index.table["path"][:NUM_IMAGES]):
        photo = cv2.imread(str(data.index.root / path))
        assert photo is not None
        photo = cv2.resize(photo, PHOTO_SIZE)
        photos.append(folder / f"{number}.jpg")
        cv2.imwrite(str(photos[-1]), photo)
        decoded.append(decode_image(photos[-1].read_bytes(), SIZE))
    np.save(folder / "cache.npy", np.stack(decoded))
    return photos


def cached_epoch(cache: Path, pipeline: Pipeline | None) -> Callable[[], None]:
    """Return what makes an epoch's batches as a trial does."""
    images, labels = np.load(cache, mmap_mode="r"), np.zeros(NUM_IMAGES, np.int64)
    dataset = TrainingImages(images, np.arange(NUM_IMAGES), labels, pipeline, seed=0)
    sampler = PlainSampling().build(labels, num_classes=2, seed=0)
    batches = TrainingBatches(dataset, sampler, batch_size=BATCH_SIZE)
    mean, std = (255 * torch.tensor(of).view(1, 3, 1, 1) for of in NORMALISATION)

    def epoch() -> None:
        for batch in batches.of_epoch(0):
            normalised(batch.images, mean, std)

    return epoch


def decoding_epoch(photos: Sequence[Path], changes: Sequence[object]) -> Callable[[], None]:
    """Return what makes an epoch's batches as a loop written by hand does."""
    mean, std = NORMALISATION
    augment = A.Compose([*changes, A.Normalize(mean, std), ToTensorV2()])
    loader = DataLoader(Photos(photos, augment), BATCH_SIZE, shuffle=True, drop_last=True)

    def epoch() -> None:
        for _ in loader:
            pass

    return epoch


class Photos(Dataset[tuple[Tensor, int]]):
    """JPEG files, decoded and augmented whenever they are asked for."""

    def __init__(self, photos: Sequence[Path], augment: A.Compose) -> None:
        self.photos = photos
        self.augment = augment

    def __len__(self) -> int:
        """Return the number of files."""
        return len(self.photos)

    def __getitem__(self, number: int) -> tuple[Tensor, int]:
        """Return a tensor [3, H, W] and a class."""
        with Image.open(self.photos[number]) as photo:
            pixels = np.asarray(photo.convert("RGB").resize((SIZE[1], SIZE[0])))
        return self.augment(image=pixels)["image"], 0


if __name__ == "__main__":
    main()

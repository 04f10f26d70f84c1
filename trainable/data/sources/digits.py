"""scikit-learn's handwritten digits: real images that are always at hand."""

from pathlib import Path
from typing import ClassVar, Literal

import cv2
import numpy as np
from typing_extensions import override

from trainable.data.built_once import built_once
from trainable.data.index import DataIndex
from trainable.data.sources.base import Source
from trainable.data.sources.class_folders import read_class_folders
from trainable.data.threads import Progress

BRIGHTEST = 16


class Digits(Source):
    """scikit-learn's 1,797 real handwritten digits of 8x8 pixels; each image on its own."""

    made_anywhere: ClassVar[bool] = True
    name: Literal["digits"] = "digits"

    @override
    def read(self, cache_dir: Path, progress: Progress | None = None) -> DataIndex:
        """Return the index of the digits, written as PNG files when read for the first time."""
        return read_class_folders(built_once(cache_dir / "digits", _write_digits))


def _write_digits(folder: Path) -> None:
    from sklearn.datasets import load_digits  # slow to import, needed once a machine

    digits = load_digits()
    pixels = np.rint(digits.images * (255 / BRIGHTEST)).astype(np.uint8)
    for number, (image, digit) in enumerate(zip(pixels, digits.target, strict=True)):
        path = folder / str(digit) / f"{number:04d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), image)

"""Decoded images on disk: built once for a data set and size, mapped into memory by everyone."""

import os
from functools import partial
from pathlib import Path
from typing import BinaryIO, Protocol

import numpy as np

from trainable.data.built_once import built_once
from trainable.data.decode import decode_image
from trainable.data.index import DataIndex
from trainable.data.threads import Progress, in_threads
from trainable.errors import SearchError, expected

Shape = tuple[int, int, int, int]


class ImageSet(Protocol):
    """What the cache must know of a data set."""

    @property
    def index(self) -> DataIndex:
        """The images."""

    @property
    def fingerprint(self) -> str:
        """Another one for other images."""

    @property
    def cache_dir(self) -> Path:
        """Folder of all caches."""


def open_cache(
    data: ImageSet, size: tuple[int, int], progress: Progress | None = None
) -> np.memmap:
    """Return all images at a size, mapped from a file that all processes of a machine share.

    The file is ``<cache_dir>/decoded/<fingerprint>/<height>x<width>.npy``. The first process
    that needs it builds it while others wait; a damaged one is built anew.

    Args:
        data: The data set.
        size: Height and width in pixels.
        progress: Called with (images decoded, images in all) while building.

    Returns:
        uint8 [num_images, height, width, 3], RGB, read-only; row i is row i of the index.

    Raises:
        SearchError: If an image cannot be decoded any more, or the file not be written.
    """
    path = data.cache_dir / "decoded" / data.fingerprint / f"{size[0]}x{size[1]}.npy"
    shape = (len(data.index), *size, 3)
    build = partial(_build, index=data.index, shape=shape, progress=progress)
    try:
        built_once(path, build, is_whole=lambda path: _mapped(path, shape) is not None)
    except OSError as error:
        what = f"room for {np.prod(shape) / 1e6:,.0f} MB that can be written"
        raise SearchError(expected(str(path), what, error.strerror or str(error))) from error
    mapped = _mapped(path, shape)
    assert mapped is not None
    return mapped


def _mapped(path: Path, shape: Shape) -> np.memmap | None:
    """Map a file of images, or return None where it is absent, short or of another shape."""
    try:
        images = np.load(path, mmap_mode="r")
    except (FileNotFoundError, ValueError, EOFError):
        return None
    whole = isinstance(images, np.memmap) and images.shape == shape and images.dtype == np.uint8
    return images if whole else None


def _build(path: Path, *, index: DataIndex, shape: Shape, progress: Progress | None) -> None:
    # Written in order, not through a memory map: there, a full disk kills the process.
    with path.open("wb") as file:
        _write_header(file, shape)
        paths = [index.root / path for path in index.table["path"]]
        for image in in_threads(partial(_decode, size=(shape[1], shape[2])), paths, progress):
            file.write(image.data)
        file.flush()
        os.fsync(file.fileno())


def _write_header(file: BinaryIO, shape: Shape) -> None:
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)


def _decode(path: Path, size: tuple[int, int]) -> np.ndarray:
    try:
        return decode_image(path, size)
    except ValueError as error:
        raise SearchError(
            expected(str(path), "an image as when the search began", error)
        ) from error

"""Decoded images on disk: built once for a data set and size, mapped into memory by everyone."""

import os
from functools import partial
from pathlib import Path
from typing import BinaryIO, Protocol

import numpy as np

from trainable.data.built_once import built_once
from trainable.data.decode import DECODER_VERSION, decode_image, read_file
from trainable.data.fingerprint import content_hash, fingerprint
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

    The first process that needs the file builds it while others wait; a damaged one is built
    anew.

    Args:
        data: The data set.
        size: Height and width in pixels.
        progress: Called with (images decoded, images in all) while building.

    Returns:
        uint8 [num_images, height, width, 3], RGB, read-only; row i is row i of the index.

    Raises:
        SearchError: If an image has changed or cannot be decoded any more, or the file not be
            written.
    """
    path = cache_file(data, size)
    shape = (len(data.index), *size, 3)
    build = partial(_build, data=data, shape=shape, progress=progress)
    try:
        built_once(path, build, is_whole=lambda path: _mapped(path, shape) is not None)
    except OSError as error:
        what = f"room for {np.prod(shape) / 1e6:,.0f} MB that can be written"
        raise SearchError(expected(str(path), what, error.strerror or str(error))) from error
    mapped = _mapped(path, shape)
    assert mapped is not None
    return mapped


def cache_file(data: ImageSet, size: tuple[int, int]) -> Path:
    """Return where all images at a size are kept: a .npy file by decoder, data set and size."""
    folder = data.cache_dir / "decoded" / f"v{DECODER_VERSION}" / data.fingerprint
    return folder / f"{size[0]}x{size[1]}.npy"


def _mapped(path: Path, shape: Shape) -> np.memmap | None:
    """Map a file of images, or return None where it is absent, short or of another shape."""
    try:
        images = np.load(path, mmap_mode="r")
    except (FileNotFoundError, ValueError, EOFError):
        return None
    whole = isinstance(images, np.memmap) and images.shape == shape and images.dtype == np.uint8
    return images if whole else None


def _build(path: Path, *, data: ImageSet, shape: Shape, progress: Progress | None) -> None:
    index, hashes = data.index, []
    # Written in order, not through a memory map: there, a full disk kills the process.
    with path.open("wb") as file:
        _write_header(file, shape)
        paths = [index.root / path for path in index.table["path"]]
        decode = partial(_decode, size=(shape[1], shape[2]))
        for image, hash_ in in_threads(decode, paths, progress):
            file.write(image.data)
            hashes.append(hash_)
        file.flush()
        os.fsync(file.fileno())
    if fingerprint(index.table, hashes) != data.fingerprint:
        remedy = "Put back what has changed, or start a new search."
        what = "the images as when the search began"
        raise SearchError(expected(str(index.root), what, "changed ones", remedy))


def _write_header(file: BinaryIO, shape: Shape) -> None:
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)


def _decode(path: Path, size: tuple[int, int]) -> tuple[np.ndarray, str]:
    """Return the pixels of a file and the hash of its content."""
    try:
        content = read_file(path)
        return decode_image(content, size), content_hash(content)
    except ValueError as error:
        raise SearchError(
            expected(str(path), "an image as when the search began", error)
        ) from error

"""Decoded images on disk: built once for a data set and size, mapped into memory by everyone."""

import math
import os
import weakref
from contextlib import ExitStack, suppress
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Protocol

import numpy as np

from trainable.cache_entries import in_use, remedy_for, room_for, whole_blocks
from trainable.data.built_once import built_once
from trainable.data.decode import DECODER_VERSION, Size, decode_image, read_file
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

    @property
    def cache_limit(self) -> str | None:
        """What the caches may take together, None for any room."""

    @property
    def crop(self) -> Size | None:
        """Height and width of the centre that alone is used, None for all of an image."""

    @property
    def made_anywhere(self) -> bool:
        """Whether every machine can make or bring the images for itself."""

    def bring(self, *, anew: bool = False, progress: Progress | None = None) -> None:
        """See to it that the images are on this machine, where every machine can make them."""

    def reworded(self, text: str) -> str:
        """Return a text that names images as the user knows them."""


def open_cache(
    data: ImageSet, size: tuple[int, int], progress: Progress | None = None
) -> np.memmap:
    """Return all images at a size, mapped from a file that all processes of a machine share.

    The first process that needs the file builds it while others wait; a damaged one is built
    anew. As long as the images are mapped, no process deletes the file to make room.

    Args:
        data: The data set.
        size: Height and width in pixels.
        progress: Called with (images decoded, images in all) while building.

    Returns:
        uint8 [num_images, height, width, 3], RGB, read-only; row i is row i of the index.

    Raises:
        SearchError: If an image has changed or cannot be decoded any more, or the file not be
            written, or what is in use leaves no room for it.
        ConfigError: If images that are not on this machine cannot be brought.
    """
    path = cache_file(data, size)
    shape = (len(data.index), *size, 3)
    build = partial(_build, data=data, shape=shape, progress=progress)
    with ExitStack() as use:
        use.callback(in_use(path))
        try:
            built_once(path, build, is_whole=lambda path: _mapped(path, shape) is not None)
        except OSError as error:
            what = f"room for {math.prod(shape) / 1e6:,.0f} MB that can be written"
            got, remedy = error.strerror or str(error), remedy_for(error, data.cache_limit)
            raise SearchError(expected(str(path), what, got, remedy)) from error
        mapped = _mapped(path, shape)
        assert mapped is not None
        weakref.finalize(mapped.base, use.pop_all().close)  # the map, which all views hold
    return mapped


def decoded_bytes(data: ImageSet, size: tuple[int, int]) -> int:
    """Return the length of the file of all images at a size, in bytes."""
    shape = (len(data.index), *size, 3)
    return len(_header(shape)) + math.prod(shape)


def cache_file(data: ImageSet, size: tuple[int, int]) -> Path:
    """Return where all images at a size are kept: a .npy file by decoder, data, size and crop."""
    folder = data.cache_dir / "decoded" / f"v{DECODER_VERSION}" / data.fingerprint
    of_centre = f"-of-{data.crop[0]}x{data.crop[1]}" if data.crop else ""
    return folder / f"{size[0]}x{size[1]}{of_centre}.npy"


def _mapped(path: Path, shape: Shape) -> np.memmap | None:
    """Map a file of images, or return None where it is absent, or not just what was written."""
    header = _header(shape)
    try:
        with path.open("rb") as file:
            whole = file.read(len(header)) == header
        if not whole or path.stat().st_size != len(header) + math.prod(shape):
            return None
        return np.memmap(path, np.uint8, mode="r", offset=len(header), shape=shape)
    except FileNotFoundError:
        return None


def _build(path: Path, *, data: ImageSet, shape: Shape, progress: Progress | None) -> None:
    data.bring(progress=progress)
    try:
        _write(path, data=data, shape=shape, progress=progress)
    except SearchError:
        if not data.made_anywhere:
            raise
        data.bring(anew=True, progress=progress)  # those of an earlier search were still here
        try:
            _write(path, data=data, shape=shape, progress=progress)
        except SearchError as error:
            raise SearchError(data.reworded(str(error))) from error


def _write(path: Path, *, data: ImageSet, shape: Shape, progress: Progress | None) -> None:
    index, hashes = data.index, []
    size, what = decoded_bytes(data, (shape[1], shape[2])), f"images at {shape[1]}x{shape[2]}"
    room = room_for(whole_blocks(size), what, cache_dir=data.cache_dir, limit=data.cache_limit)
    # Written in order, not through a memory map: there, a full disk kills the process.
    with path.open("wb") as file:
        with room, suppress(OSError):  # not every file system can
            file.truncate(size)  # so that others that make room know of it
        file.write(_header(shape))
        paths = [index.root / path for path in index.table["path"]]
        decode = partial(_decode, size=(shape[1], shape[2]), crop=data.crop)
        for image, hash_ in in_threads(decode, paths, progress):
            file.write(image.data)
            hashes.append(hash_)
        file.flush()
        os.fsync(file.fileno())
    if fingerprint(index.table, hashes) != data.fingerprint:
        remedy = "Put back what has changed, or start a new search."
        what = "the images as when the search began"
        raise SearchError(expected(str(index.root), what, "changed ones", remedy))


def _header(shape: Shape) -> bytes:
    """Return the first bytes of a .npy file of images."""
    header = BytesIO()
    facts = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(header, facts)
    return header.getvalue()


def _decode(path: Path, size: Size, crop: Size | None) -> tuple[np.ndarray, str]:
    """Return the pixels of a file and the hash of its content."""
    try:
        content = read_file(path)
        return decode_image(content, size, crop=crop), content_hash(content)
    except ValueError as error:
        raise SearchError(
            expected(str(path), "an image as when the search began", error)
        ) from error

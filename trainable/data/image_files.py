"""Which files are images, by their names."""

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif", ".ppm"}
    | {".pgm", ".avif"}
)


def is_image_name(name: str) -> bool:
    """Say whether a file's name is that of an image that is not hidden.

    Example:
        >>> is_image_name("mask1.JPG"), is_image_name("._mask1.jpg"), is_image_name("notes.txt")
        (True, False, False)
    """
    return not name.startswith(".") and Path(name).suffix.lower() in IMAGE_SUFFIXES


def is_below(path: str) -> bool:
    """Say whether a path with ``/`` leads nowhere but below the folder it is relative to.

    Example:
        >>> is_below("a/b.png"), is_below("../b.png"), is_below("/b.png")
        (True, False, False)
    """
    pure = PurePosixPath(path)
    return not pure.is_absolute() and ".." not in pure.parts


def image_paths(folder: Path) -> list[str]:
    """Return the images below a folder, however deep: sorted paths relative to it, with ``/``.

    Raises:
        OSError: If a folder cannot be read.
    """
    return sorted(_walk(folder))


def has_image(folder: Path) -> bool:
    """Say whether there is an image below a folder, however deep; errors as in image_paths."""
    return next(_walk(folder), None) is not None


def visible_folders(folder: Path) -> list[Path]:
    """Return the folders directly below a folder that are not hidden, sorted by name."""
    with os.scandir(folder) as entries:
        names = [e.name for e in entries if e.is_dir() and not e.name.startswith(".")]
    return [folder / name for name in sorted(names)]


def _walk(folder: Path) -> Iterator[str]:
    for at, folders, files in os.walk(folder, onerror=_raise):
        folders[:] = [name for name in folders if not name.startswith(".")]
        below = Path(at).relative_to(folder)
        yield from ((below / name).as_posix() for name in files if is_image_name(name))


def _raise(error: OSError) -> None:
    """Pass on what ``os.walk`` would pass over."""
    raise error

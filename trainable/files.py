"""Files that are whole or absent: written aside, then renamed."""

import errno
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# What a system says of a place that is full or closed to whoever writes.
UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM)


class UnwritableError(OSError):
    """A place is full, or may not be written to; ``filename`` says which."""


@contextmanager
def written_to(path: Path) -> Iterator[None]:
    """Name a path in errors that the block, which writes there, has with that place.

    Raises:
        UnwritableError: If the place is full, or may not be written to.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in UNWRITABLE or not _concerns(error, path):
            raise
        raise UnwritableError(error.errno, error.strerror, str(path)) from error


def _concerns(error: OSError, path: Path) -> bool:
    """Return whether an error may be of a path, a file beside it, or a folder above it."""
    if error.filename is None:
        return True
    named = Path(os.fsdecode(error.filename))
    return named.is_relative_to(path.parent) or path.is_relative_to(named)


@contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` that takes its place once the block has succeeded.

    The block may write a file or a folder there. After an error nothing is left and ``path`` is
    as it was. A folder replaces only an absent or empty one, since renaming cannot do more in
    one step.

    Args:
        path: Where the result shall be; its parent folder is made.

    Raises:
        UnwritableError: If the place is full, or may not be written to.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     with written_aside(Path(folder, "a", "b.txt")) as aside:
        ...         _ = aside.write_text("whole")
        ...     Path(folder, "a", "b.txt").read_text()
        'whole'
    """
    # The suffix stays: pandas and numpy choose the format by it, or append their own.
    aside = path.with_name(f".{path.stem}-{uuid.uuid4().hex[:8]}{path.suffix}")
    with written_to(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield aside
            aside.replace(path)
        finally:
            remove(aside)


def stamp(path: Path) -> tuple[int, int] | None:
    """Return what changes as a file does, its length and time; None where there is none."""
    try:
        stat = path.stat()
    except FileNotFoundError:
        return None
    return stat.st_size, stat.st_mtime_ns


def remove(path: Path) -> None:
    """Delete a file or a folder with all that is in it; neither need exist."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def write_json(path: Path, content: Any) -> None:  # noqa: ANN401
    """Write JSON, whole or not at all; a value that JSON does not know is a TypeError."""
    with written_aside(path) as aside:
        aside.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n")

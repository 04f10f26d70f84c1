"""What commands write for the user: whole or not at all, and a problem is one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile

from trainable.errors import ConfigError, expected
from trainable.files import written_aside


def check_output(path: Path) -> None:
    """Check early that a file can be written at all.

    Raises:
        ConfigError: If its folder does not exist or may not be written to, or it is a folder
            itself.
    """
    if not path.parent.is_dir():
        raise ConfigError(expected(str(path), "a file in a folder that exists", "no such folder"))
    if path.is_dir():
        raise ConfigError(expected(str(path), "a file", "a folder"))
    try:
        TemporaryFile(dir=path.parent).close()
    except OSError as error:
        what = "a file in a folder that can be written to"
        raise ConfigError(expected(str(path), what, error.strerror)) from error


@contextmanager
def output(path: Path) -> Iterator[Path]:
    """Yield where to write, as ``written_aside`` does.

    Raises:
        ConfigError: If the system cannot read or write what the block reads and writes.
    """
    try:
        with written_aside(path) as aside:
            yield aside
    except OSError as error:
        where = str(error.filename or path)
        got = error.strerror or str(error)
        raise ConfigError(expected(where, "a path that can be read or written", got)) from error

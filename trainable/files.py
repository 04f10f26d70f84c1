"""Files that are whole or absent: written aside, then renamed."""

import json
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` that takes its place once the block has succeeded.

    The block may write a file or a folder there. After an error nothing is left and ``path`` is
    as it was. A folder replaces only an absent or empty one, since renaming cannot do more in
    one step.

    Args:
        path: Where the result shall be; its parent folder is made.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     with written_aside(Path(folder, "a", "b.txt")) as aside:
        ...         _ = aside.write_text("whole")
        ...     Path(folder, "a", "b.txt").read_text()
        'whole'
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # The suffix stays: pandas and numpy choose the format by it, or append their own.
    aside = path.with_name(f".{path.stem}-{uuid.uuid4().hex[:8]}{path.suffix}")
    try:
        yield aside
        aside.replace(path)
    finally:
        remove(aside)


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

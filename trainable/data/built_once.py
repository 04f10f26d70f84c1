"""Files and folders that take long to make: made by one process, whole or not at all."""

import shutil
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

PARTIAL = ".partial"


def built_once(
    path: Path, build: Callable[[Path], None], *, is_whole: Callable[[Path], bool] = Path.exists
) -> Path:
    """Return the path; when nothing whole is there, have it built aside and renamed.

    Of several processes one builds and the others wait. What a killed builder left is removed
    by the next one.

    Args:
        path: Where the file or folder is kept; its name must tell everything it depends on.
        build: Makes the file or folder at the path it is given, where there is nothing yet.
        is_whole: Says whether what is at ``path`` can be used.
    """
    if is_whole(path):
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(f"{path.name}.lock")):
        if not is_whole(path):
            # A name that every builder shares, safe under the lock: no litter from killed ones.
            aside = path.with_name(f"{path.name}{PARTIAL}")
            _remove(aside)
            try:
                build(aside)
                _remove(path)
                aside.rename(path)
            finally:
                _remove(aside)
    return path


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)

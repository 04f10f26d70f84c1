"""Where the product keeps what it can make or fetch again."""

import os
from pathlib import Path

CACHE_FOLDER = "classifier-search"


def default_cache_dir() -> Path:
    """Return the folder for drawn data, decoded images, buckets: the user's cache, by XDG."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / CACHE_FOLDER


def is_writable(folder: Path) -> bool:
    """Return whether files can be made in a folder, which may have to be made first."""
    places = (folder.absolute(), *folder.absolute().parents)
    existing = next(place for place in places if os.access(place, os.F_OK))
    return os.access(existing, os.W_OK)

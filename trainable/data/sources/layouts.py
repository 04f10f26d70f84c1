"""Which layout of a folder or table it is that a path leads to."""

from pathlib import Path

from trainable.data.sources.base import PathSource
from trainable.data.sources.class_folders import ClassFolders
from trainable.data.sources.mask_competition import MaskCompetition
from trainable.data.sources.table import Table
from trainable.errors import ConfigError, expected

# A path is the first of these that recognises it.
LAYOUTS: tuple[type[PathSource], ...] = (Table, MaskCompetition, ClassFolders)


def source_at(path: Path, remedy: str = "") -> PathSource:
    """Return the source that an existing path is.

    Raises:
        ConfigError: If it is none, with what else helps.
    """
    for source in LAYOUTS:
        if source.recognises(path):
            return source(path=path)
    layouts = "; or ".join(source.layout for source in LAYOUTS)
    raise ConfigError(expected(f"data {path}", layouts, _found(path), remedy))


def _found(path: Path) -> str:
    if path.is_file():
        return f"a file {path.name}"
    entries = [entry.is_dir() for entry in path.iterdir() if not entry.name.startswith(".")]
    if not entries:
        return "an empty folder"
    return f"another layout (folders: {sum(entries)}, files: {len(entries) - sum(entries)})"

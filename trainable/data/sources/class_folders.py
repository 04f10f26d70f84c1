"""One folder a class, the oldest layout of all, with or without parts above."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Literal

import pandas as pd
from typing_extensions import override

from trainable.data.image_files import has_image, image_paths, visible_folders
from trainable.data.index import DataIndex
from trainable.data.problems import first_few, raise_problems
from trainable.data.sources.base import PART_NAMES, PathSource, make_index
from trainable.data.threads import Progress
from trainable.errors import ConfigError, expected


class ClassFolders(PathSource):
    """One folder a class, with or without train, val and test above; each image on its own."""

    layout: ClassVar[str] = "one folder a class, with or without train/ val/ test/ above"
    name: Literal["class_folders"] = "class_folders"

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """Say whether an image is below a folder of this folder."""
        return path.is_dir() and any(has_image(folder) for folder in visible_folders(path))

    @override
    def read(self, cache_dir: Path, progress: Progress | None = None) -> DataIndex:
        """Return the index of the images in the class folders."""
        return read_class_folders(self.path)


def read_class_folders(folder: Path) -> DataIndex:
    """Return the index of the images below a folder of class folders.

    Raises:
        ConfigError: If a class has no image or a part no class, or parts are beside classes.
    """
    rows: list[tuple[str, str, str]] = []
    problems: list[str] = []
    for part, part_folder in _part_folders(folder):
        classes = visible_folders(part_folder)
        if not classes:
            problems.append(expected(str(part_folder), "one folder a class", "0 folders"))
        for class_folder in classes:
            paths = image_paths(class_folder)
            if not paths:
                problems.append(expected(str(class_folder), "images of its class", "none"))
            below = class_folder.relative_to(folder).as_posix()
            rows += [(f"{below}/{path}", class_folder.name, part) for path in paths]
    raise_problems(problems)
    return make_index(folder, pd.DataFrame(rows, columns=["path", "label", "part"]))


def _part_folders(folder: Path) -> list[tuple[str, Path]]:
    """Return (part, folder) where folders are named as parts, else the folder itself."""
    folders = visible_folders(folder)
    parts = [(PART_NAMES[f.name], f) for f in folders if f.name in PART_NAMES]
    if not parts:
        return [("", folder)]
    if others := [f.name for f in folders if f.name not in PART_NAMES]:
        got = f"{_listed([f.name for _, f in parts])} beside {_listed(others)}"
        remedy = "Move or rename one or the other, or list the images in a table."
        raise ConfigError(expected(str(folder), "folders of parts or of classes", got, remedy))
    return parts


def _listed(names: Sequence[str]) -> str:
    return ", ".join(first_few(names)).removesuffix(".")

"""What every source of images has in common: it reads an index, from disk or drawn once."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import ClassVar

import pandas as pd

from trainable.data.index import Attribute, DataIndex
from trainable.part import Part

PART_NAMES = {
    "": "",
    "train": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
}


class Source(Part, ABC):
    """A place where labelled images come from; its fields are the parameters after ``name:``.

    A source whose class list is fixed (``fixed_classes``) keeps classes that have no image, so
    that class numbers mean the same in every data set of its kind.
    """

    fixed_classes: ClassVar[bool] = False

    @abstractmethod
    def read(self, cache_dir: Path) -> DataIndex:
        """Return the index of all images, sorted by path, without opening any of them.

        Args:
            cache_dir: Folder below which a source that makes its images keeps them.

        Returns:
            The index with an absolute root; ``part`` is empty where the source does not say.

        Raises:
            ConfigError: If the images or their labels are not as this source needs them.
        """


class PathSource(Source):
    """A source that the user names by the path of a folder or file."""

    layout: ClassVar[str]
    path: Path

    @classmethod
    @abstractmethod
    def recognises(cls, path: Path) -> bool:
        """Say whether an existing path looks like this source."""


def make_index(
    root: Path,
    table: pd.DataFrame,
    *,
    classes: tuple[str, ...] | None = None,
    attributes: Mapping[str, Attribute] | None = None,
) -> DataIndex:
    """Return an index with all its columns, sorted by path.

    Args:
        root: Folder that the paths are relative to.
        table: Columns ``path`` and ``label``; ``person`` is the path where absent or empty,
            ``part`` is empty where absent; other columns stay.
        classes: Class names by class number; those of the table when None.
        attributes: Attributes by name; each is a column of the table.
    """
    person = table.get("person", table["path"])
    whole = table.assign(
        person=person.where(person != "", table["path"]), part=table.get("part", "")
    )
    first = ["path", "label", "person", "part"]
    columns = first + [name for name in whole if name not in first]
    return DataIndex(
        root=root.resolve(),
        table=whole[columns].sort_values("path", ignore_index=True),
        classes=class_order(table["label"]) if classes is None else classes,
        attributes=dict(attributes or {}),
    )


def class_order(names: Iterable[str]) -> tuple[str, ...]:
    """Return class names in the order of their numbers: by value if all are whole numbers.

    Example:
        >>> class_order(["10", "9"]), class_order(["dog", "cat"])
        (('9', '10'), ('cat', 'dog'))
    """
    distinct = set(names)
    if all(name.isdecimal() for name in distinct):
        return tuple(sorted(distinct, key=lambda name: (int(name), name)))
    return tuple(sorted(distinct))

"""What every source of images has in common: it reads an index, from disk or made once."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import pandas as pd

from trainable.data.index import Attribute, DataIndex
from trainable.data.threads import Progress
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

    Every machine can draw or bring the images of some for itself (``made_anywhere``): these need
    not be on a disk that all of them see.
    """

    made_anywhere: ClassVar[bool] = False

    @abstractmethod
    def read(self, cache_dir: Path, progress: Progress | None = None) -> DataIndex:
        """Return the index of all images, sorted by path, without opening any of them.

        Args:
            cache_dir: Absolute folder below which a source that makes its images keeps them.
            progress: Called with (images brought, images to bring), where that takes long.

        Returns:
            The index with an absolute root; ``part`` is empty where the source does not say.

        Raises:
            ConfigError: If the images or their labels are not as this source needs them.
        """

    def bring(
        self,
        index: DataIndex,  # noqa: ARG002  # most make all images
        cache_dir: Path,
        *,
        paths: Sequence[str],  # noqa: ARG002
        anew: bool = False,  # noqa: ARG002
        progress: Progress | None = None,
    ) -> None:
        """Make images on this machine, where every machine can.

        Args:
            index: The index, as it was read on whichever machine.
            cache_dir: As in ``read``; the images are below it.
            paths: The images that are needed, by their paths in the index.
            anew: Whether those that are here may be of another time.
            progress: As in ``read``.

        Raises:
            ConfigError: If they cannot be had.
        """
        if self.made_anywhere:
            self.read(cache_dir, progress)

    def reworded(self, text: str, cache_dir: Path) -> str:  # noqa: ARG002
        """Return a text that names images as the user knows them, not as the cache does."""
        return text


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
        classes: Class names by class number, of which some may have no image; those of the table
            when None.
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
        fixed_classes=classes is not None,
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

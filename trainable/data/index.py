"""The index of a data set: one row an image, its classes, and the attributes to look at."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

REQUIRED_COLUMNS = ("path", "label", "person", "part")
PARTS = ("train", "val", "test")
YEARS = "years"
LABEL = "label"  # no attribute can have this name: it is a required column


@dataclass(frozen=True)
class Attribute:
    """A property of an image, such as its person's age group, by which metrics are broken down.

    Args:
        values: The values it can take, in order.
        of_class: For each class the number of the value that its images have, or None where
            the class does not say (a camera, a hospital).
    """

    values: tuple[str, ...]
    of_class: tuple[int, ...] | None = None


@dataclass(frozen=True)
class LabelSpace:
    """What heads and metrics know of the labels.

    Args:
        classes: Names of the classes, by class number.
        attributes: Attributes by name.
    """

    classes: tuple[str, ...]
    attributes: dict[str, Attribute] = field(default_factory=dict)

    @property
    def num_classes(self) -> int:
        """Return the number of classes."""
        return len(self.classes)

    def names_of(self, attribute: str) -> tuple[str, ...]:
        """Return the values of an attribute, or the classes for ``label``."""
        return self.classes if attribute == LABEL else self.attributes[attribute].values

    @property
    def class_attributes(self) -> dict[str, tuple[tuple[str, ...], tuple[int, ...]]]:
        """Return (values, value by class) of the attributes that the class determines."""
        return {
            name: (attribute.values, attribute.of_class)
            for name, attribute in self.attributes.items()
            if attribute.of_class is not None
        }


@dataclass(frozen=True)
class DataIndex:
    """A table of labelled images.

    Args:
        root: Folder that the paths are relative to.
        table: One row an image with the text columns ``path`` (relative, with ``/``), ``label``
            (a class name), ``person`` (whoever or whatever must not be torn apart), ``part``
            (train, val, test, or empty while undecided), a column for each attribute, and
            where known ``years`` (whole number, the person's age).
        classes: Names of the classes, by class number.
        attributes: Attributes by name; each is a column of the table.
        fixed_classes: Whether classes stay that have no image, so that class numbers mean the
            same in every data set of its kind.
    """

    root: Path
    table: pd.DataFrame
    classes: tuple[str, ...]
    attributes: dict[str, Attribute] = field(default_factory=dict)
    fixed_classes: bool = False

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.table)

    @property
    def label_space(self) -> LabelSpace:
        """Return classes and attributes without the images."""
        return LabelSpace(self.classes, self.attributes)

    def labels(self) -> np.ndarray:
        """Return the class number of every row, int64 [num_images]."""
        return self.table["label"].map({c: i for i, c in enumerate(self.classes)}).to_numpy(int)

    def with_table(self, table: pd.DataFrame) -> "DataIndex":
        """Return the same data set with another table, rows numbered anew from 0."""
        return replace(self, table=table.reset_index(drop=True))

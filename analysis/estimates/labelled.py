"""The images of a part without their pixels: classes, people, groups."""

from dataclasses import dataclass

import numpy as np

from trainable.data.index import LabelSpace
from trainable.data.prepared import PreparedData


@dataclass(frozen=True)
class Labelled:
    """Labelled images without their pixels.

    Args:
        labels: int64 [num_images], class numbers.
        person: int64 [num_images], the person of each image, numbered from 0 without gaps.
        groups: For each attribute that no class determines int64 [num_images], the number of
            each image's value.
        label_space: Classes and attributes.
    """

    labels: np.ndarray
    person: np.ndarray
    groups: dict[str, np.ndarray]
    label_space: LabelSpace

    @classmethod
    def of(cls, data: PreparedData, part: str) -> "Labelled":
        """Return the images of a part, in the order of its rows."""
        rows_N = data.rows(part)
        people = data.index.table["person"].to_numpy()[rows_N]
        groups = {name: values[rows_N] for name, values in data.groups().items()}
        return cls(data.labels()[rows_N], _numbered(people), groups, data.label_space)

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.labels)

    @property
    def num_people(self) -> int:
        """Return the number of people."""
        return int(self.person.max(initial=-1)) + 1

    def subset(self, images: np.ndarray) -> "Labelled":
        """Return some of the images, given by number or as a mask."""
        groups = {name: values[images] for name, values in self.groups.items()}
        return Labelled(
            self.labels[images], _numbered(self.person[images]), groups, self.label_space
        )


def _numbered(people_N: np.ndarray) -> np.ndarray:
    return np.unique(people_N, return_inverse=True)[1].astype(np.int64)

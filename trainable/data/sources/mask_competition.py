"""The mask competition's folders: seven photos a person, named by what the person wears."""

import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any, ClassVar, Literal

import pandas as pd
from typing_extensions import override

from trainable.data.image_files import is_image_name, visible_folders
from trainable.data.index import YEARS, Attribute, DataIndex
from trainable.data.problems import raise_problems
from trainable.data.sources.base import PathSource, make_index
from trainable.data.threads import Progress
from trainable.errors import ConfigError, expected

MASKS = ("worn", "incorrect", "without")
GENDERS = ("male", "female")
AGES = ("under30", "30to59", "60plus")
MASK_OF_PHOTO = {
    **{f"mask{i}": "worn" for i in range(1, 6)},
    "incorrect_mask": "incorrect",
    "normal": "without",
}
# In the order of the competition's class numbers: mask * 6 + gender * 3 + age.
_TRIPLES = tuple(product(MASKS, GENDERS, AGES))
CLASSES = tuple("_".join(triple) for triple in _TRIPLES)
ATTRIBUTES = {
    name: Attribute(values, tuple(values.index(triple[i]) for triple in _TRIPLES))
    for i, (name, values) in enumerate({"mask": MASKS, "gender": GENDERS, "age": AGES}.items())
}
_FOLDER_FORM = "<id>_<male or female>_<race>_<age>"
_FOLDER = re.compile(r"(?P<person>[^_]+)_(?P<gender>male|female)_(?P<race>[^_]+)_(?P<years>\d+)")


class MaskCompetition(PathSource):
    """The mask competition's layout: images/<id>_<gender>_<race>_<age>/<photo>.jpg."""

    layout: ClassVar[str] = f"folders {_FOLDER_FORM} of photos mask1 to mask5 and so on"
    name: Literal["mask_competition"] = "mask_competition"

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """Say whether a folder, or ``images`` in it, holds a person's folder."""
        return path.is_dir() and any(
            _FOLDER.fullmatch(folder.name) for folder in visible_folders(_people_folder(path))
        )

    @override
    def read(self, cache_dir: Path, progress: Progress | None = None) -> DataIndex:
        """Return the index of the folder's photos."""
        return read_mask_layout(_people_folder(self.path))


def read_mask_layout(folder: Path) -> DataIndex:
    """Return the index of the people's folders directly below a folder.

    Raises:
        ConfigError: If a folder or a photo has another name than the layout asks for.
    """
    rows: list[dict[str, Any]] = []
    problems: list[str] = []
    for person_folder in visible_folders(folder):
        found = _FOLDER.fullmatch(person_folder.name)
        if found is None:
            problems.append(expected(str(person_folder), f"a name {_FOLDER_FORM}", "another"))
            continue
        for name, mask in _photos(person_folder, problems):
            rows.append(_row(found, f"{person_folder.name}/{name}", mask))
    raise_problems(problems)
    if not rows:
        raise ConfigError(expected("data", f"photos in the folders of {folder}", "none"))
    return make_index(folder, pd.DataFrame(rows), classes=CLASSES, attributes=ATTRIBUTES)


def age_group(years: int) -> str:
    """Return the competition's age group of an age in years."""
    return AGES[(years >= 30) + (years >= 60)]


def _people_folder(path: Path) -> Path:
    images = path / "images"
    return images if images.is_dir() else path


def _photos(folder: Path, problems: list[str]) -> Iterator[tuple[str, str]]:
    """Yield (file name, mask state) of a person's photos; add those without one to problems."""
    for photo in sorted(folder.iterdir()):
        if not is_image_name(photo.name):
            continue
        if mask := MASK_OF_PHOTO.get(photo.stem):
            yield photo.name, mask
        else:
            known = ", ".join(MASK_OF_PHOTO)
            problems.append(expected(str(photo), f"a photo named one of {known}", photo.stem))


def _row(person: re.Match[str], path: str, mask: str) -> dict[str, Any]:
    years = int(person["years"])
    traits = {"mask": mask, "gender": person["gender"], "age": age_group(years)}
    label = "_".join(traits.values())
    return {"path": path, "label": label, "person": person["person"], **traits, YEARS: years}

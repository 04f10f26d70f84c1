"""The data of a search, ready to be trained on, and what a run folder keeps of it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from trainable.byte_size import normal_size
from trainable.cache_entries import entry_of, in_use_until_exit, remedy_for
from trainable.data.cache import open_cache
from trainable.data.decode import Size
from trainable.data.index import PARTS, Attribute, DataIndex, LabelSpace
from trainable.data.open_source import open_source, source_of_any_machine
from trainable.data.problems import raise_problems
from trainable.data.scan import ScannedIndex, scan
from trainable.data.sources.base import Source
from trainable.data.split import (
    FEWEST_CLASSES,
    SHARES,
    TRAIN,
    lonely_classes,
    missing_classes,
    split_by_person,
    trainable_problems,
)
from trainable.data.split_file import read_split, write_split
from trainable.data.threads import Progress
from trainable.errors import ConfigError, expected
from trainable.run_files import RECORD_FILE, SPLIT_FILE


@dataclass(frozen=True)
class PreparedData:
    """Labelled images that all decode, each in a part.

    Args:
        index: The images; every row has a part.
        fingerprint: 16 hexadecimal digits that change with any image, label or person.
        source: What ``--data`` said.
        cache_dir: Folder of all caches, absolute.
        warnings: What the user should know of the data, a line each.
        crop: Height and width of the centre of every image that alone is used, None for all.
        cache_limit: What the caches may take together, such as ``20GiB``; None for any room.
    """

    index: DataIndex
    fingerprint: str
    source: str
    cache_dir: Path
    warnings: tuple[str, ...] = ()
    crop: Size | None = None
    cache_limit: str | None = None

    @property
    def label_space(self) -> LabelSpace:
        """Return classes and attributes without the images."""
        return self.index.label_space

    def rows(self, part: str) -> np.ndarray:
        """Return the row numbers of a part, int64 [num_images of the part], ascending."""
        if part not in PARTS:
            raise ValueError(f"expected a part of {', '.join(PARTS)}, got {part!r}")
        return np.flatnonzero(self.index.table["part"].to_numpy() == part)

    def labels(self) -> np.ndarray:
        """Return the class number of every row, int64 [num_images], read-only."""
        return self._labels

    def groups(self) -> dict[str, np.ndarray]:
        """Return the value's number, int64 [num_images], by attribute that no class determines."""
        return {
            name: pd.Categorical(self.index.table[name], a.values).codes.astype(np.int64)
            for name, a in self.index.attributes.items()
            if a.of_class is None
        }

    def images(self, size: tuple[int, int], progress: Progress | None = None) -> np.memmap:
        """Return all images at (height, width), uint8 [num_images, height, width, 3], RGB.

        They are decoded when this machine needs the size for the first time, and shared by all
        its processes from then on.

        Raises:
            SearchError: If an image cannot be decoded any more, or the cache not be written, or
                what is in use leaves no room in it.
        """
        return open_cache(self, size, progress)

    @property
    def made_anywhere(self) -> bool:
        """Return whether every machine can make or bring the images for itself."""
        return self._maker is not None

    def bring(
        self,
        rows: np.ndarray | None = None,
        *,
        anew: bool = False,
        progress: Progress | None = None,
    ) -> None:
        """See to it that images are on this machine, where every machine can make them.

        Args:
            rows: Numbers of the rows that are needed, all when None.
            anew: Whether those that are here may be of another time.
            progress: Called with (images brought, images to bring).

        Raises:
            ConfigError: If they cannot be had.
        """
        if self._maker is None:
            return
        if (entry := entry_of(self.index.root, self.cache_dir)) is not None:
            in_use_until_exit(entry)
        paths = list(self.index.table["path"] if rows is None else self.index.table["path"][rows])
        if anew or not all((self.index.root / path).is_file() for path in paths):
            self._maker.bring(
                self.index, self.cache_dir, paths=paths, anew=anew, progress=progress
            )

    def reworded(self, text: str) -> str:
        """Return a text that names images as the user knows them, where the cache has a copy."""
        return text if self._maker is None else self._maker.reworded(text, self.cache_dir)

    def kept_in(self, cache_dir: Path) -> "PreparedData":
        """Return the same data with another folder of caches, made images in it, too."""
        root = self.index.root
        if self.made_anywhere and root.is_relative_to(self.cache_dir):
            root = cache_dir / root.relative_to(self.cache_dir)
        return replace(self, index=replace(self.index, root=root), cache_dir=cache_dir)

    @cached_property
    def _maker(self) -> Source | None:
        return source_of_any_machine(self.source)

    @cached_property
    def _labels(self) -> np.ndarray:
        labels = self.index.labels()
        labels.flags.writeable = False
        return labels


def prepare_data(
    source: str,
    *,
    cache_dir: Path,
    seed: int,
    max_broken: int = 0,
    crop: Size | None = None,
    cache_limit: str | None = None,
    shares: Sequence[float] = SHARES,
    progress: Progress | None = None,
) -> PreparedData:
    """Find, check and split the images that ``--data`` means.

    Args:
        source: Text of ``--data``.
        cache_dir: Folder of all caches; made where absent.
        seed: Seed of the split.
        max_broken: Number of unreadable images that are left out without an error.
        crop: Height and width of the centre of every image that alone is used, None for all.
        cache_limit: What the caches may take together, None for any room.
        shares: Shares of train, val and test.
        progress: Called with (images brought or scanned, images in all).

    Raises:
        ConfigError: If there is anything about the data that the user must mend.
    """
    cache_dir = cache_dir.expanduser().resolve()
    with worded(cache_dir, cache_limit):
        found = open_source(source).read(cache_dir, progress)
        scanned = scan(found, cache_dir, max_broken, progress=progress)
    index = scanned.index
    if (num_classes := index.table["label"].nunique()) < FEWEST_CLASSES:
        what = f"images of at least {FEWEST_CLASSES} classes"
        raise ConfigError(expected("data", what, num_classes))
    lonely = lonely_classes(index)
    if not index.fixed_classes:
        raise_problems(lonely)
    index = split_by_person(index, seed=seed, shares=shares)
    if not index.fixed_classes:
        raise_problems(missing_classes(index, [TRAIN]))
    raise_problems(trainable_problems(index))
    warnings = (*_scan_warnings(scanned), *lonely, *missing_classes(index))
    return PreparedData(index, scanned.fingerprint, source, cache_dir, warnings, crop, cache_limit)


@contextmanager
def worded(cache_dir: Path, cache_limit: str | None) -> Iterator[None]:
    """Word what the block has with the folders of the images and of the cache.

    Raises:
        ConfigError: In place of what the system says.
    """
    try:
        yield
    except OSError as error:
        got = f"{error.filename or cache_dir}: {error.strerror or error}"
        what = "a data folder that can be read and a cache folder that can be written"
        remedy = remedy_for(error, cache_limit)
        raise ConfigError(expected("data", what, got, remedy)) from error


def write_data(run_folder: Path, data: PreparedData) -> dict[str, Any]:
    """Write ``split.csv`` and return what ``run.json`` keeps under ``data``."""
    write_split(run_folder / SPLIT_FILE, data.index.table)
    attributes = {
        name: {"values": list(a.values), "of_class": None if a.of_class is None else [*a.of_class]}
        for name, a in data.index.attributes.items()
    }
    return {
        "source": data.source,
        "root": str(data.index.root),
        "fingerprint": data.fingerprint,
        "cache_dir": str(data.cache_dir),
        "cache_limit": data.cache_limit,
        "crop": data.crop,
        "classes": list(data.index.classes),
        "attributes": attributes,
        "warnings": list(data.warnings),
    }


def read_data(run_folder: Path) -> PreparedData:
    """Return the data of a run folder, from ``run.json`` and ``split.csv``.

    Raises:
        ConfigError: If one of the files is missing or damaged.
    """
    run_file = run_folder / RECORD_FILE
    said = _read_run_file(run_file)
    try:
        classes = tuple(said["classes"])
        attributes = {name: _attribute(a) for name, a in said["attributes"].items()}
        root, cache_dir = Path(said["root"]), Path(said["cache_dir"])
        fingerprint, source = str(said["fingerprint"]), str(said["source"])
        warnings = tuple(said["warnings"])
        crop = None if said.get("crop") is None else _size(said["crop"])
        limit = None if said.get("cache_limit") is None else normal_size(said["cache_limit"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        what = "what a search writes under 'data'"
        raise ConfigError(expected(str(run_file), what, f"no {error}")) from error
    table = read_split(run_folder / SPLIT_FILE, classes=classes, attributes=attributes)
    index = DataIndex(root, table, classes, attributes)
    return PreparedData(index, fingerprint, source, cache_dir, warnings, crop, limit)


def _scan_warnings(scanned: ScannedIndex) -> list[str]:
    warnings = [f"{image.path}: left out: {image.reason}." for image in scanned.broken]
    whose = pd.DataFrame({"hash": scanned.hashes, "person": scanned.index.table["person"]})
    num_people = whose.groupby("hash")["person"].nunique()
    if (copies := int((num_people - 1).sum())) > 0:
        warnings.append(
            f"{copies} images are copies of another person's: the same picture may be in train "
            "and test. Remove them or give both the same person."
        )
    return warnings


def _read_run_file(path: Path) -> Mapping[str, Any]:
    try:
        return dict(json.loads(path.read_text())["data"])
    except OSError as error:
        got = f"none ({error.strerror})"
        raise ConfigError(expected(str(path), "the run file of a search", got)) from error
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(expected(str(path), "JSON with 'data'", "something else")) from error


def _size(said: Sequence[int]) -> Size:
    height, width = said
    return height, width


def _attribute(said: Mapping[str, Any]) -> Attribute:
    of_class = said["of_class"]
    return Attribute(tuple(said["values"]), None if of_class is None else tuple(of_class))

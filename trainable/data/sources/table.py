"""A CSV or Parquet table of labelled images, the layout that says most."""

import os
import posixpath
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal

import pandas as pd
from typing_extensions import override

from trainable.data.image_files import is_below
from trainable.data.index import REQUIRED_COLUMNS, YEARS, Attribute, DataIndex
from trainable.data.problems import first_few, raise_problems
from trainable.data.sources.base import PART_NAMES, PathSource, class_order, make_index
from trainable.data.threads import Progress
from trainable.errors import ConfigError, expected, unknown

SUFFIXES = (".csv", ".parquet")
MAX_ATTRIBUTE_VALUES = 50
UNKNOWN_VALUE = "unknown"
FIRST_CSV_LINE = 2
NAMELESS = "Unnamed: "  # what pandas calls a column of row numbers that it wrote itself


class Table(PathSource):
    """A CSV or Parquet table: path, label; where known person, part, years, attributes.

    Paths are relative to the table's folder, or absolute. Every column with another name is an
    attribute; an empty field of one counts as the value ``unknown``.
    """

    layout: ClassVar[str] = "a CSV or Parquet table with the columns path and label"
    name: Literal["table"] = "table"

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """Say whether a path is a file whose name is that of a table."""
        return path.is_file() and path.suffix.lower() in SUFFIXES

    @override
    def read(self, cache_dir: Path, progress: Progress | None = None) -> DataIndex:
        """Return the index of the table's rows.

        Raises:
            ConfigError: If a column is missing, or a field has no or an unknown value, or an
                image is not there or there twice.
        """
        table = _read_text(self.path)
        _check_columns(self.path, table)
        table["path"] = [posixpath.normpath(path) if path else "" for path in table["path"]]
        raise_problems([f"{self.path}: {p}" for p in _problems(table, self.path.parent)])
        if "part" in table:
            table["part"] = table["part"].map(PART_NAMES)
        if YEARS in table:
            table[YEARS] = table[YEARS].astype(float).astype(int)
        names = _attribute_names(table)
        table[names] = table[names].replace("", UNKNOWN_VALUE)
        attributes = {name: _attribute(table, name) for name in names}
        root, table["path"] = _below_one_folder(self.path.parent, list(table["path"]))
        return make_index(root, table, attributes=attributes)


def paths_in(path: Path) -> list[str]:
    """Return the paths of a table's images as they are in its index, those that have one.

    Raises:
        ConfigError: If it is no table with the columns that it needs.
    """
    table = _read_text(path)
    _check_columns(path, table)
    return [posixpath.normpath(image) for image in table["path"] if image]


def _below_one_folder(folder: Path, paths: list[str]) -> tuple[Path, list[str]]:
    """Return a folder that all images lie below, and their paths relative to it.

    It is the table's own unless a path leads out of that.
    """
    if all(is_below(path) for path in paths):
        return folder, paths
    absolute = [os.path.normpath(folder.resolve() / path) for path in paths]
    root = Path(os.path.commonpath([str(Path(path).parent) for path in absolute]))
    return root, [Path(path).relative_to(root).as_posix() for path in absolute]


def _read_text(path: Path) -> pd.DataFrame:
    """Return all columns as text; an empty field is empty text, and no word means "missing".

    Raises:
        ConfigError: If the file is not a table.
    """
    try:
        if path.suffix.lower() == ".csv":
            table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
            return table.drop(columns=[n for n in table if str(n).startswith(NAMELESS)])
        return pd.read_parquet(path).rename(columns=str).astype("str").fillna("")
    except (ValueError, OSError) as error:  # pandas' and pyarrow's errors derive from these
        reason = str(error).strip().splitlines()[0]
        raise ConfigError(expected(str(path), "a CSV or Parquet table", reason)) from error


def _check_columns(path: Path, table: pd.DataFrame) -> None:
    missing = [name for name in ("path", "label") if name not in table]
    if missing:
        columns = ", ".join(map(str, table)) or "none"
        raise ConfigError(expected(str(path), "the columns path and label", columns))
    if table.empty:
        raise ConfigError(expected(str(path), "a row for each image", "0 rows"))


def _problems(table: pd.DataFrame, folder: Path) -> Iterator[str]:
    """Yield what is wrong with the fields of a table, without the table's name."""
    for name in ("path", "label"):
        yield from _at_rows(table[name] == "", f"a {name}", "an empty field")
    for path in table["path"][table["path"].duplicated()].unique():
        yield expected(f"path {path!r}", "one row", f"{(table['path'] == path).sum()}")
    missing = [path for path in table["path"] if path and not (folder / path).is_file()]
    if missing:
        some = ", ".join(first_few(missing)).removesuffix(".")
        what = f"paths of images, relative to {folder.resolve()} or absolute"
        yield expected("path", what, f"{len(missing)} that do not exist: {some}")
    if "part" in table:
        for part in set(table["part"]) - PART_NAMES.keys():
            yield unknown("part", "a part or nothing", part, ["train", "val", "test"])
    if YEARS in table:
        wrong = ~table[YEARS].str.fullmatch(r"\d{1,3}(\.0)?")
        yield from _at_rows(wrong, f"whole {YEARS}", "another value")
    yield from _attribute_problems(table)


def _attribute_names(table: pd.DataFrame) -> list[str]:
    return [str(name) for name in table if name not in {*REQUIRED_COLUMNS, YEARS}]


def _attribute_problems(table: pd.DataFrame) -> Iterator[str]:
    for name in _attribute_names(table):
        num_values = table[name].nunique()
        if num_values > MAX_ATTRIBUTE_VALUES:
            what = f"an attribute of at most {MAX_ATTRIBUTE_VALUES} values"
            yield expected(f"column {name}", what, num_values, "Remove it or group its values.")


def _at_rows(wrong: "pd.Series[bool]", what: str, got: str) -> Iterator[str]:
    numbers = [str(i + FIRST_CSV_LINE) for i, is_wrong in enumerate(wrong) if is_wrong]
    if numbers:
        lines = ", ".join(first_few(numbers)).removesuffix(".")
        yield expected(f"{wrong.name} in line {lines}", what, got)


def _attribute(table: pd.DataFrame, name: str) -> Attribute:
    """Return a column's values, and the value by class where each class has just one."""
    values = class_order(table[name])
    pairs = table[["label", name]].drop_duplicates()
    if not pairs["label"].is_unique:
        return Attribute(values)
    value_of = dict(zip(pairs["label"], pairs[name], strict=True))
    return Attribute(values, tuple(values.index(value_of[c]) for c in class_order(value_of)))

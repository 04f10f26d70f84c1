"""``split.csv`` of a run folder: which image is whose, of which class, and in which part."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from trainable.data.image_files import is_below
from trainable.data.index import PARTS, REQUIRED_COLUMNS, YEARS, Attribute
from trainable.errors import ConfigError, expected
from trainable.files import written_aside


def write_split(path: Path, table: pd.DataFrame) -> None:
    """Write a data set's table, whole or not at all."""
    with written_aside(path) as aside:
        table.to_csv(aside, index=False)


def read_split(
    path: Path, *, classes: tuple[str, ...], attributes: Mapping[str, Attribute]
) -> pd.DataFrame:
    """Read a data set's table.

    Args:
        path: The file.
        classes: Names that a label may be.
        attributes: Attributes by name; each must be a column of known values.

    Raises:
        ConfigError: If the file is missing or is not such a table, or a path in it leads
            elsewhere than below the folder of the images.
    """
    table = _read_text(path)
    wanted = [*REQUIRED_COLUMNS, *attributes]
    missing = [name for name in wanted if name not in table]
    if missing:
        raise ConfigError(expected(str(path), f"columns {', '.join(wanted)}", f"no {missing[0]}"))
    known = {"label": classes, "part": PARTS, **{n: a.values for n, a in attributes.items()}}
    for name, values in known.items():
        strange = sorted(set(table[name]) - set(values))
        if strange:
            raise ConfigError(expected(f"{path}: {name}", "a known value", repr(strange[0])))
    outside = [image for image in table["path"] if not is_below(image)]
    if outside:
        raise ConfigError(expected(f"{path}: path", "paths below the images' folder", outside[0]))
    return table


def _read_text(path: Path) -> pd.DataFrame:
    """Read all columns as text but the years, where no word means "missing"."""
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        if YEARS in table:
            table[YEARS] = table[YEARS].astype(int)
    except OSError as error:
        got = f"none ({error.strerror})"
        raise ConfigError(expected(str(path), "the split of a search", got)) from error
    except ValueError as error:
        raise ConfigError(expected(str(path), "a table of images", error)) from error
    return table

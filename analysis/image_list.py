"""Which images are to be predicted: those below a folder, or those that a table names."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from trainable.data.image_files import image_paths
from trainable.errors import ConfigError, expected, first_line
from trainable.nearby import nearest_path

PATH, IMAGE_ID, ANSWER = "path", "ImageID", "ans"
IMAGES_FOLDER = "images"
TABLE_OR_FOLDER = "a folder or a CSV or Parquet table"


@dataclass(frozen=True)
class ImageList:
    """Images to predict, in the order of the answer.

    Args:
        names: What each image is called in the folder or table.
        paths: Where each image is.
        form: The table whose column ``ans`` is to be filled in, or None where there is no such
            form.
    """

    names: tuple[str, ...]
    paths: tuple[Path, ...]
    form: pd.DataFrame | None = None


def read_image_list(source: Path) -> ImageList:
    """Return the images below a folder, sorted by path, or those of a table in its order.

    A table is a CSV or Parquet file; an image that it names twice is predicted twice.

    A table names its images in the column ``path`` or ``ImageID``, relative to its own folder;
    those of ``ImageID`` may also be in ``images/`` beside it. With a column ``ans`` it is a form
    to be filled in.

    Raises:
        ConfigError: If there is no such folder or table, or it names no image.
    """
    if source.is_dir():
        names = image_paths(source)
        if not names:
            raise ConfigError(expected(str(source), "a folder with images below it", "none"))
        return ImageList(tuple(names), tuple(source / name for name in names))
    if not source.is_file():
        remedy = nearest_path(source)
        raise ConfigError(expected(str(source), TABLE_OR_FOLDER, "no such path", remedy))
    return _from_table(source)


def _from_table(file: Path) -> ImageList:
    table = _read_table(file)
    column = PATH if PATH in table else IMAGE_ID
    if column not in table:
        got = ", ".join(map(str, table.columns))
        raise ConfigError(expected(str(file), f"a column {PATH} or {IMAGE_ID}", got))
    if table.empty:
        raise ConfigError(expected(str(file), "at least one image", "no rows"))
    names = tuple(table[column])
    nameless = [number for number, name in enumerate(names, start=1) if not name]
    if nameless:
        raise ConfigError(expected(f"{file}: row {nameless[0]}", f"a {column}", "an empty field"))
    folder = file.parent
    if column == PATH:
        return ImageList(names, tuple(folder / name for name in names))
    beside = folder / IMAGES_FOLDER
    has_folder = beside.is_dir()
    in_beside = [beside / name for name in names]
    paths = tuple(
        path if has_folder and path.exists() else folder / name
        for path, name in zip(in_beside, names, strict=True)
    )
    return ImageList(names, paths, form=table if ANSWER in table else None)


def _read_table(file: Path) -> pd.DataFrame:
    """Return a table with text in its columns of names, and all text if it is a CSV file."""
    suffix = file.suffix.lower()
    if suffix not in (".csv", ".parquet"):
        raise ConfigError(expected(str(file), TABLE_OR_FOLDER, "another file"))
    try:
        if suffix == ".csv":
            return pd.read_csv(file, dtype=str, keep_default_na=False, encoding="utf-8-sig")
        table = pd.read_parquet(file)
    except (OSError, ValueError) as error:  # pandas' and pyarrow's errors are of the latter
        got = f"'{first_line(error)}'"
        raise ConfigError(expected(str(file), "a CSV or Parquet table", got)) from error
    named = [column for column in (PATH, IMAGE_ID) if column in table]
    return table.assign(**{name: table[name].astype("str").fillna("") for name in named})

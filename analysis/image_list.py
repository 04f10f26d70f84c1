"""Which images are to be predicted: those below a folder, or those that a table names."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from trainable.data.image_files import image_paths
from trainable.errors import ConfigError, expected

PATH, IMAGE_ID, ANSWER = "path", "ImageID", "ans"
IMAGES_FOLDER = "images"


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
    """Return the images below a folder, sorted by path, or those of a CSV table in its order.

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
        raise ConfigError(expected(str(source), "a folder or a CSV table", "no such path"))
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
    if file.suffix.lower() != ".csv":
        raise ConfigError(expected(str(file), "a folder or a CSV table", "another file"))
    try:
        return pd.read_csv(file, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (OSError, ValueError) as error:  # pandas' parser errors are of the latter
        raise ConfigError(expected(str(file), "a CSV table", f"'{error}'")) from error

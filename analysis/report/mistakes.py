"""The most confident mistakes: what to look at when images or labels may be wrong."""

import base64
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO

import numpy as np
import pandas as pd
from PIL import Image

from analysis.report import page
from analysis.report.subject import Subject
from analysis.report.texts import rows_of
from trainable.data.cache import cache_file
from trainable.data.decode import decode_image
from trainable.data.prepared import PreparedData
from trainable.errors import ConfigError, SearchError
from trainable.pictures.mistakes import most_confident_mistakes

HEIGHT = 160  # pixels
QUALITY = 80
NOTE = "In brackets the probability that the trial gave to each class."


def mistakes_table(data: PreparedData, probabilities_NC: np.ndarray) -> pd.DataFrame:
    """Return the wrong predictions of the highest probability, at most twenty.

    Args:
        data: The data of the run.
        probabilities_NC: float32 [num_val, num_classes].

    Returns:
        A row an image, the most confident first, with the columns ``row`` (of split.csv),
        ``path``, ``true`` and ``predicted`` (class names), ``probability`` of the predicted
        class, and ``of_true``, that of the true one.
    """
    rows = data.rows("val")
    names = data.label_space.classes
    found = most_confident_mistakes(probabilities_NC, data.labels()[rows])
    paths = data.index.table["path"]
    cells = [
        (int(row), paths[row], names[m.true], names[m.predicted], m.probability, m.of_true)
        for m in found
        for row in [rows[m.position]]
    ]
    columns = ["row", "path", "true", "predicted", "probability", "of_true"]
    return pd.DataFrame(cells, columns=columns)


def mistakes(subject: Subject) -> tuple[str, ...]:
    """Return the section."""
    table = mistakes_table(subject.data, subject.probabilities)
    if table.empty:
        return (page.paragraph("The best trial makes no mistake on validation.", kind="note"),)
    size = _size(subject)
    with suppress(ConfigError):  # then as decoded for training, or left out
        subject.data.bring(table["row"].to_numpy())
    blocks = list(_pictures(subject.data, table, size))
    if not blocks:
        text = "The images cannot be read here: their pictures are left out."
        rows = [_captions(row) for row in rows_of(table)]
        header = ["it is", "it was taken for", "image"]
        return page.paragraph(text, kind="note"), page.table(header, rows)
    return page.pictures(blocks), page.paragraph(NOTE, kind="note")


def _size(subject: Subject) -> tuple[int, int]:
    """Return the size that the best trial saw, as in its configuration."""
    text = str(subject.ranking.iloc[0].get("config/resize", "1x1"))
    height, width = (int(number) for number in text.split("x"))
    return height, width


def _pictures(data: PreparedData, table: pd.DataFrame, size: tuple[int, int]) -> Iterator[str]:
    for row in rows_of(table):
        pixels = _pixels(data, int(str(row.row)), size)
        if pixels is not None:
            yield page.picture(_jpeg(pixels), captions=_captions(row))


def _captions(row: object) -> tuple[str, str, str]:
    true, predicted, path = (str(getattr(row, name)) for name in ("true", "predicted", "path"))
    of_true, probability = (float(getattr(row, name)) for name in ("of_true", "probability"))
    return f"is {true} ({of_true:.0%})", f"taken for {predicted} ({probability:.0%})", path


def _pixels(data: PreparedData, row: int, size: tuple[int, int]) -> np.ndarray | None:
    """Return an image from its file, or else as decoded for training, if either is there."""
    large = (HEIGHT, round(HEIGHT * size[1] / size[0]))
    try:
        return decode_image(data.index.root / data.index.table["path"][row], large, crop=data.crop)
    except ValueError:
        return _cached_pixels(data, row, size)


def _cached_pixels(data: PreparedData, row: int, size: tuple[int, int]) -> np.ndarray | None:
    if not cache_file(data, size).is_file():
        return None
    try:
        return np.asarray(data.images(size)[row])
    except SearchError:  # damaged, and cannot be made anew
        return None


def _jpeg(pixels: np.ndarray) -> str:
    content = BytesIO()
    Image.fromarray(pixels).save(content, "JPEG", quality=QUALITY)
    return base64.b64encode(content.getvalue()).decode()

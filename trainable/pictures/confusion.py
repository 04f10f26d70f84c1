"""A confusion matrix as a picture."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from trainable.pictures.text import (
    FAINT,
    INK,
    PAPER,
    Color,
    font,
    shortened,
    text_width,
    upright,
)

MOST_CLASSES = 40
TITLE_SIZE, NAME_SIZE, COUNT_SIZE = 17, 14, 12
MARGIN, LONGEST_NAME = 12, 230
RIGHT: Color = (25, 95, 165)
WRONG: Color = (200, 70, 20)
GRID: Color = (225, 225, 230)


def worst_classes(matrix: np.ndarray, num_shown: int) -> np.ndarray:
    """Return the classes with the most images taken for another or another's, in their order.

    Args:
        matrix: int64 [n, n], a row a true class, a column a predicted one.
        num_shown: How many to return at most.

    Returns:
        int64 [min(n, num_shown)], ascending.
    """
    wrong = matrix - np.diag(np.diag(matrix))
    order = np.argsort(-(wrong.sum(axis=0) + wrong.sum(axis=1)), kind="stable")
    return np.sort(order[:num_shown])


def draw_confusion(matrix: np.ndarray, names: Sequence[str], *, title: str) -> np.ndarray:
    """Draw a confusion matrix: counts, in colours of the share of the true class.

    Of more than 40 classes the 40 with the most mistakes are drawn.

    Args:
        matrix: int64 [n, n], a row a true class, a column a predicted one.
        names: The n names.
        title: A line above it.

    Returns:
        uint8 [H, W, 3], RGB.
    """
    shown = worst_classes(matrix, MOST_CLASSES)
    if len(shown) < len(matrix):
        title = f"{title}; of {len(matrix)}, the {len(shown)} with the most mistakes"
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    sizes = matrix.sum(axis=1)[shown]
    chosen = np.ix_(shown, shown)
    return _Sheet([names[i] for i in shown], sizes, title).drawn(matrix[chosen], shares[chosen])


class _Sheet:
    """Where everything is on the picture.

    Args:
        names: Names of the classes drawn.
        sizes: int64 [n], the number of images of each.
        title: A line above all.
    """

    def __init__(self, names: Sequence[str], sizes: np.ndarray, title: str) -> None:
        self._names = [shortened(name, NAME_SIZE, LONGEST_NAME) for name in names]
        self._sizes = [str(size) for size in sizes]
        self._title = title
        self._cell = 36 if len(names) > 8 else 56
        widest = max(text_width(name, NAME_SIZE) for name in self._names)
        self._size_width = max(text_width(s, COUNT_SIZE) for s in [*self._sizes, "images"])
        axis = NAME_SIZE + 2 * MARGIN  # the words "true" and "predicted"
        self._left = axis + widest + self._size_width + 2 * MARGIN
        self._top = MARGIN + TITLE_SIZE + 2 * MARGIN
        self._end = self._cell * len(names)
        width = max(self._left + self._end + MARGIN, text_width(title, TITLE_SIZE) + 2 * MARGIN)
        height = self._top + self._end + widest + axis + MARGIN
        self._image = Image.new("RGB", (width, height), PAPER)
        self._draw = ImageDraw.Draw(self._image)

    def drawn(self, counts: np.ndarray, shares: np.ndarray) -> np.ndarray:
        """Draw counts [n, n] on colours of their shares [n, n] in [0, 1]."""
        place = (MARGIN, MARGIN + TITLE_SIZE // 2)
        self._draw.text(place, self._title, INK, font(TITLE_SIZE), anchor="lm")
        for number in range(len(self._names)):
            self._name(number)
        for row, column in np.ndindex(*counts.shape):
            self._count(row, column, int(counts[row, column]), float(shares[row, column]))
        self._axes()
        return np.asarray(self._image)

    def _name(self, number: int) -> None:
        middle = number * self._cell + self._cell // 2
        row = self._top + middle
        right = self._left - MARGIN // 2
        self._draw.text((right, row), self._sizes[number], FAINT, font(COUNT_SIZE), anchor="rm")
        place = (right - self._size_width - MARGIN // 2, row)
        self._draw.text(place, self._names[number], INK, font(NAME_SIZE), anchor="rm")
        name = upright(self._names[number], NAME_SIZE)
        column = self._left + middle - name.width // 2
        self._image.paste(name, (column, self._top + self._end + MARGIN // 2))

    def _count(self, row: int, column: int, count: int, share: float) -> None:
        left, top = self._left + column * self._cell, self._top + row * self._cell
        full = RIGHT if row == column else WRONG
        box = (left, top, left + self._cell, top + self._cell)
        self._draw.rectangle(box, _between(PAPER, full, share), GRID)
        if count:
            middle = (left + self._cell // 2, top + self._cell // 2)
            ink = PAPER if share > 0.5 else INK
            self._draw.text(middle, _short(count), ink, font(COUNT_SIZE), anchor="mm")

    def _axes(self) -> None:
        true = upright("true", NAME_SIZE, FAINT)
        self._image.paste(true, (MARGIN // 2, self._top + self._end // 2 - true.height // 2))
        place = (self._left + self._end // 2, self._image.height - MARGIN)
        self._draw.text(place, "predicted", FAINT, font(NAME_SIZE), anchor="ms")
        place = (self._left - MARGIN // 2, self._top - MARGIN // 2)
        self._draw.text(place, "images", FAINT, font(COUNT_SIZE), anchor="rs")


def _between(a: Color, b: Color, share: float) -> Color:
    """Return a colour between two, with small shares already to be seen."""
    weight = share**0.7
    red, green, blue = (round(x + (y - x) * weight) for x, y in zip(a, b, strict=True))
    return red, green, blue


def _short(count: int) -> str:
    """Return a count in at most five characters."""
    return str(count) if count < 10_000 else f"{count / 1000:.0f}k"

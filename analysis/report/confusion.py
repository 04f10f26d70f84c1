"""What the best trial takes for what: confusion matrices of the label and of each attribute."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analysis.recorded import read_confusions
from analysis.report import page
from analysis.report.style import GRID, LONGEST_LABEL, label, new_figure, plain
from analysis.report.subject import Subject
from analysis.report.texts import rows_of
from trainable.data.index import LABEL
from trainable.pictures.confusion import MOST_CLASSES, worst_classes

COLORS = [[0, "#ffffff"], [0.5, "#93b4e8"], [1, "#1d4ed8"]]
CELL, FEW_CLASSES = 26, 5  # pixels; classes whose cells may be larger
LARGE_CELL = 60
NARROW_ROOM, LETTER, ROOM_FOR_NAMES = 60, 7, 220
MOST_PAIRS = 20


def confusion_table(counts: pd.DataFrame) -> pd.DataFrame:
    """Return the pairs of classes that are drawn, of more than 40 classes the 40 worst.

    Args:
        counts: A square table of images, a row a true class, a column a predicted one.

    Returns:
        A row a pair with the columns ``true``, ``predicted``, ``images`` (how many), and
        ``share`` of all images of the true class, in [0, 1], 0 where it has none.
    """
    matrix = counts.to_numpy()
    shown = worst_classes(matrix, MOST_CLASSES)
    totals = np.maximum(matrix.sum(axis=1), 1)
    names = list(counts.index)
    rows = [
        (
            names[true],
            names[predicted],
            matrix[true, predicted],
            matrix[true, predicted] / totals[true],
        )
        for true in shown
        for predicted in shown
    ]
    return pd.DataFrame(rows, columns=["true", "predicted", "images", "share"])


def mistaken_pairs(counts: pd.DataFrame) -> pd.DataFrame:
    """Return the pairs of different classes that occur, the most frequent first.

    Args:
        counts: As for ``confusion_table``; all classes count.

    Returns:
        The columns of ``confusion_table``.
    """
    matrix = counts.to_numpy()
    totals = np.maximum(matrix.sum(axis=1), 1)
    names = list(counts.index)
    rows = [
        (names[true], names[other], matrix[true, other], matrix[true, other] / totals[true])
        for true, other in np.argwhere(matrix)
        if true != other
    ]
    table = pd.DataFrame(rows, columns=["true", "predicted", "images", "share"])
    order = ["images", "share"]
    return table.sort_values(order, ascending=False, kind="stable", ignore_index=True)


def confusion_figure(table: pd.DataFrame) -> go.Figure:
    """Draw ``confusion_table``: numbers of images, in colours of the share of the true class."""
    names = list(dict.fromkeys(table["true"]))
    size = len(names)
    images = table["images"].to_numpy().reshape(size, size)
    shares = table["share"].to_numpy().reshape(size, size)
    drawn = new_figure(height=_room(names) + _cell(size) * size)
    full = [plain(name) for name in names]
    labels = [label(name) for name in names]
    hover = [
        [
            f"{true} taken for {other}: {images[i, j]}, {shares[i, j]:.0%}"
            for j, other in enumerate(full)
        ]
        for i, true in enumerate(full)
    ]
    drawn.add_heatmap(
        z=shares.round(4),
        text=np.where(images > 0, images.astype(str), ""),
        texttemplate="%{text}",
        hovertext=hover,
        hoverinfo="text",
        colorscale=COLORS,
        zmin=0,
        zmax=1,
        showscale=False,
        xgap=1,
        ygap=1,
    )
    places = list(range(size))
    drawn.update_xaxes(
        tickvals=places,
        ticktext=labels,
        title="predicted",
        tickangle=-60 if _room(names) > NARROW_ROOM + 4 * LETTER and size > FEW_CLASSES else 0,
    )
    drawn.update_yaxes(tickvals=places, ticktext=labels, autorange="reversed")
    drawn.update_layout(plot_bgcolor=GRID, margin={"t": 4})
    return drawn


def _room(names: Sequence[str]) -> int:
    """Return the pixels that the longest name takes beside the cells, or below them."""
    return min(NARROW_ROOM + LETTER * min(max(map(len, names)), LONGEST_LABEL), ROOM_FOR_NAMES)


def _cell(size: int) -> int:
    return LARGE_CELL if size <= FEW_CLASSES else CELL


def confusion(subject: Subject) -> tuple[str, ...]:
    """Return the section."""
    file = subject.run.trial_folder(subject.best).confusions
    tables = read_confusions(file, subject.data.label_space)
    drawn = [
        "".join(_blocks(attribute, counts, f"confusion-{number}"))
        for number, (attribute, counts) in enumerate(tables.items())
    ]
    return drawn[0], page.beside(drawn[1:])


def _blocks(attribute: str, counts: pd.DataFrame, name: str) -> Iterator[str]:
    table = confusion_table(counts)
    size = table["true"].nunique()
    if attribute != LABEL:
        yield page.subtitle(attribute)
    if size < len(counts):
        yield page.paragraph(f"Of {len(counts)}, the {size} with the most mistakes.", kind="note")
    room = _room(list(dict.fromkeys(table["true"])))
    least, most = (room + of * size for of in (CELL, LARGE_CELL))
    least = least if size > FEW_CLASSES else 0
    yield page.figure(confusion_figure(table), name, least_width=least, most_width=most)
    yield _mistakes(counts)


def _mistakes(counts: pd.DataFrame) -> str:
    table = mistaken_pairs(counts)
    if table.empty:
        return page.paragraph("No mistakes.", kind="note")
    rows = [
        (row.true, row.predicted, f"{row.images:,}", f"{row.share:.0%}")
        for row in rows_of(table.head(MOST_PAIRS))
    ]
    of = f", the most frequent {MOST_PAIRS} of {len(table):,}" if len(table) > MOST_PAIRS else ""
    header = ["it is", "taken for", "images", "share of the class"]
    return page.folded(f"The mistakes as a table{of}", page.table(header, rows))

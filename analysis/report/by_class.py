"""F1 of each class and of each value of an attribute."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analysis.estimates.interval import Resamples
from analysis.estimates.labelled import Labelled
from analysis.estimates.metric import scorer
from analysis.report import page
from analysis.report.style import SECOND, label, new_figure, rows_height, with_rows
from analysis.report.subject import Subject
from analysis.report.texts import between, number, rows_of
from trainable.data.index import LABEL, LabelSpace
from trainable.data.prepared import PreparedData
from trainable.objective import is_broken_down

MOST_ROWS = 40
COLUMNS = ["of", "value", "num_images", "f1", "low", "high"]


def f1_table(data: PreparedData, probabilities_NC: np.ndarray) -> pd.DataFrame:
    """Return F1 by class and by value of each attribute, on validation.

    Args:
        data: The data of the run.
        probabilities_NC: float32 [num_val, num_classes].

    Returns:
        A row a class or value, classes first, with the columns

        - ``of``: ``label`` or an attribute; ``value``: the class or value; more than 100 of one
          kind are left out, as from the learning curves;
        - ``num_images`` of it; ``f1`` (where the class does not determine the attribute: macro
          F1 of the label within the images of the value), missing where there is none;
        - ``low``, ``high``: its 90 % interval, the people drawn again.
    """
    images = Labelled.of(data, "val")
    resamples = Resamples(images)
    rows = []
    for of in (LABEL, *data.label_space.attributes):
        names = data.label_space.names_of(of)
        if not is_broken_down(names):
            continue
        for place, value in enumerate(names):
            metric = f"class_f1/{value}" if of == LABEL else f"f1/{of}/{value}"
            f1 = scorer(metric, images).of(probabilities_NC)
            low, high = resamples.interval(metric, probabilities_NC)
            num_images = int((_values(images, of) == place).sum())
            rows.append((of, value, num_images, f1, low, high))
    return pd.DataFrame(rows, columns=COLUMNS)


def _values(images: Labelled, of: str) -> np.ndarray:
    """Return the number of each image's class or value, int64 [num_images]."""
    if of == LABEL:
        return images.labels
    of_class = images.label_space.attributes[of].of_class
    return images.groups[of] if of_class is None else np.array(of_class)[images.labels]


def f1_figure(table: pd.DataFrame) -> go.Figure:
    """Draw rows of ``f1_table`` of one kind as bars with intervals."""
    drawn = new_figure(height=rows_height(len(table)) - 50)
    f1 = table["f1"].fillna(0)
    drawn.add_bar(
        x=f1.round(4),
        y=list(range(len(table))),
        orientation="h",
        marker={"color": SECOND, "opacity": 0.75},
        error_x={
            "array": (table["high"] - f1).clip(lower=0).fillna(0).round(4),
            "arrayminus": (f1 - table["low"]).clip(lower=0).fillna(0).round(4),
            "thickness": 1.2,
            "width": 3,
        },
        hoverinfo="x",
    )
    drawn.update_xaxes(range=[0, 1.02])
    drawn.update_layout(margin={"t": 4})
    labels = [f"{label(row.value)} ({row.num_images})" for row in rows_of(table)]
    return with_rows(drawn, labels)


def f1_by_class(subject: Subject) -> tuple[str, ...]:
    """Return the section."""
    table = f1_table(subject.data, subject.probabilities)
    blocks = []
    for place, (of, of_kind) in enumerate(table.groupby("of", sort=False)):
        shown = of_kind.sort_values("f1", kind="stable").head(MOST_ROWS).sort_index()
        blocks.append(page.subtitle(_title(str(of), subject.data.label_space)))
        if len(shown) < len(of_kind):
            text = f"Of {len(of_kind)}, the {len(shown)} lowest."
            blocks.append(page.paragraph(text, kind="note"))
        blocks.append(page.figure(f1_figure(shown), f"f1-{place}"))
        blocks.append(_as_table(of_kind))
    if not blocks:
        return (page.paragraph("More than 100 classes: none has a bar of its own.", kind="note"),)
    note = (
        "In brackets the number of images; the thin line is where the value lies with 90 % "
        "probability, from the people drawn again."
    )
    return (*blocks, page.paragraph(note, kind="note"))


def _as_table(table: pd.DataFrame) -> str:
    rows = [
        (row.value, f"{row.num_images:,}", number(row.f1), between(row.low, row.high))
        for row in rows_of(table)
    ]
    return page.as_table(["", "images", "F1", "90 %"], rows)


def _title(of: str, labels: LabelSpace) -> str:
    if of == LABEL:
        return "F1 by class"
    is_determined = labels.attributes[of].of_class is not None
    return f"F1 by {of}" if is_determined else f"Macro F1 of the label by {of}"

"""Parallel coordinates: what good trials have in common, a line a trial."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analysis.report import page
from analysis.report.importance import importance_table
from analysis.report.style import BEST, FAINT, GRID, label, new_figure, plain
from analysis.report.subject import Subject
from analysis.report.texts import counted, number, short, spread_out
from analysis.run_folder import CONFIG
from trainable.trial_folder import trial_id

HEIGHT, LEAST_WIDTH = 420, 720
MOST_AXES, FEWEST_AXES, MOST_CHOICES, MOST_NUMBERS = 6, 3, 12, 4
MOST_LINES, MOST_BEST = 300, 100
ABSENT, ABSENT_WORDS = -0.12, "without"
LONGEST_TICK = 17
MOST_ROWS = 20
COLORS = ("#d6d9de", "#bfd0e8", "#8fb0dd", "#4f83cc", "#1d4ed8")


@dataclass(frozen=True)
class Axis:
    """One axis.

    Args:
        name: What it shows.
        positions: float64 [num_trials], from 0 at the bottom to 1; below 0 for trials without it.
        texts: The value of each trial as text.
        ticks: Position and text of what is written at the axis.
    """

    name: str
    positions: np.ndarray
    texts: tuple[str, ...]
    ticks: tuple[tuple[float, str], ...]


def axis(name: str, values: Sequence[object], *, is_log: bool = False) -> Axis:
    """Return the axis of some values, None where a trial has none.

    Numbers of more than four kinds lie at their size, or its logarithm; others at equal
    distances in their order.

    Args:
        name: What they are values of.
        values: Numbers, texts or truth values.
        is_log: Whether numbers lie at their logarithm.

    Example:
        >>> axis("lr", [0.1, None, 0.2]).positions.tolist()
        [0.0, -0.12, 1.0]
    """
    there = [value for value in values if value is not None]
    is_number = all(isinstance(v, int | float) and not isinstance(v, bool) for v in there)
    distinct = sorted(set(there), key=None if is_number else str)  # type: ignore[type-var, arg-type]
    if is_number and len(distinct) > MOST_NUMBERS:
        of_value, ticks = _measured([float(str(value)) for value in distinct], is_log=is_log)
    else:
        of_value = {v: i / max(1, len(distinct) - 1) for i, v in enumerate(distinct)}
        step = -(-len(distinct) // MOST_CHOICES)
        ticks = [(of_value[value], short(value)) for value in distinct[::step]]
    positions = np.array([ABSENT if v is None else of_value[v] for v in values])
    if len(there) < len(values):
        ticks = [(ABSENT, ABSENT_WORDS), *ticks]
    texts = tuple(ABSENT_WORDS if value is None else short(value) for value in values)
    return Axis(name, positions, texts, tuple(ticks))


def _measured(
    distinct: list[float], *, is_log: bool
) -> tuple[dict[object, float], list[tuple[float, str]]]:
    low, high = distinct[0], distinct[-1]
    scale = np.log if is_log else np.asarray
    start, end = scale(low), scale(high)
    of_value: dict[object, float] = {
        v: float((scale(v) - start) / (end - start)) for v in distinct
    }
    middle = (low * high) ** 0.5 if is_log else (low + high) / 2
    return of_value, [(0.0, short(low)), (0.5, short(middle)), (1.0, short(high))]


def shown_names(subject: Subject) -> list[str]:
    """Return the hyperparameters to show.

    Up to six that matter more than chance would have it, but at least three; where importance is
    unknown, the first six that were varied.
    """
    table = importance_table(subject)
    if table.empty:
        return subject.varied[:MOST_AXES]
    num_telling = int((table["importance"] > table["chance"]).sum())
    return list(table["name"])[: min(MOST_AXES, max(FEWEST_AXES, num_telling))]


def log_names(subject: Subject) -> set[str]:
    """Return the hyperparameters that the space suggests by their logarithm."""
    return {
        name
        for trial in subject.run.trials
        for name, distribution in trial.distributions.items()
        if getattr(distribution, "log", False)
    }


def parallel_table(subject: Subject, names: Sequence[str]) -> pd.DataFrame:
    """Return the trials that are drawn: all, or of more than 300 the best 100 and some others.

    Args:
        subject: The run.
        names: The hyperparameters.

    Returns:
        A row a trial, best first, with the columns ``trial``, ``value`` and one a hyperparameter,
        None where a trial does not have it.
    """
    ranked = subject.ranked
    rows = list(range(len(ranked)))
    if len(rows) > MOST_LINES:
        rows = rows[:MOST_BEST] + spread_out(rows[MOST_BEST:], MOST_LINES - MOST_BEST)
    table = ranked.iloc[rows][["trial", "value", *(CONFIG + name for name in names)]]
    table = table.astype(object).where(table.notna(), None)
    return table.set_axis(["trial", "value", *names], axis=1).reset_index(drop=True)


def parallel_figure(table: pd.DataFrame, metric: str, by_log: Collection[str]) -> go.Figure:
    """Draw ``parallel_table``, the best trials last and darkest; some axes by the logarithm."""
    names = list(map(str, table.columns[2:]))
    axes = [axis(name, list(table[name]), is_log=name in by_log) for name in names]
    axes.append(axis(metric, [float(value) for value in table["value"]]))
    drawn = new_figure(height=HEIGHT)
    groups = np.array_split(np.arange(1, len(table))[::-1], len(COLORS))
    for color, rows in zip(COLORS, groups, strict=True):
        _add_lines(drawn, axes, table, rows, {"color": color, "width": 1})
    _add_lines(drawn, axes, table, np.array([0]), {"color": BEST, "width": 2.5})
    for place, drawn_axis in enumerate(axes):
        _add_axis(drawn, place, drawn_axis)
    drawn.update_layout(showlegend=False, margin={"l": 30, "r": 70, "t": 50, "b": 8})
    drawn.update_xaxes(visible=False, range=[-0.1, len(axes) - 0.75])
    lowest = min(float(of.positions.min()) for of in axes)
    drawn.update_yaxes(visible=False, range=[lowest - 0.06, 1.06])
    return drawn


def _add_lines(
    drawn: go.Figure,
    axes: Sequence[Axis],
    table: pd.DataFrame,
    rows: np.ndarray,
    line: dict[str, object],
) -> None:
    x: list[int | None] = []
    y: list[float | None] = []
    hover: list[str] = []
    for row in rows.tolist():
        x += [*range(len(axes)), None]
        y += [*(round(float(of.positions[row]), 4) for of in axes), None]
        trial = f"trial {trial_id(table['trial'][row])}, {number(table['value'][row])}"
        hover += [f"{trial}<br>{plain(of.name)} {plain(of.texts[row])}" for of in axes] + [""]
    drawn.add_scatter(x=x, y=y, mode="lines", line=line, hovertext=hover, hoverinfo="text")


def _add_axis(drawn: go.Figure, place: int, of: Axis) -> None:
    drawn.add_shape(type="line", x0=place, x1=place, y0=0, y1=1, line={"color": FAINT, "width": 1})
    name = plain(of.name.replace("/name", ""))
    family, slash, field = name.partition("/")
    drawn.add_annotation(
        x=place,
        y=1.06,
        text=f"<b>{family}{slash}{'<br>' if slash else ''}{field}</b>",
        showarrow=False,
        yanchor="bottom",
        yref="y",
    )
    for position, text in of.ticks:
        drawn.add_annotation(
            x=place,
            y=position,
            text=label(text, LONGEST_TICK),
            showarrow=False,
            xanchor="left",
            xshift=4,
            bgcolor="rgba(255,255,255,0.8)",
            bordercolor=GRID,
            font={"size": 11},
        )


def parallel(subject: Subject) -> tuple[str, ...]:
    """Return the section."""
    names = shown_names(subject)
    if not names or len(subject.ranked) < 2:
        return (page.paragraph("There are no differing trials to compare.", kind="note"),)
    table = parallel_table(subject, names)
    drawn = parallel_figure(table, subject.run.metric, log_names(subject))
    lines = f"Each line is a trial, {counted(len(table), 'line')} in all"
    if len(table) < len(subject.ranked):
        lines = (
            f"Each line is a trial: the best {MOST_BEST}, and of the others every so many-th in "
            f"their ranking, {len(table)} of {len(subject.ranked):,}"
        )
    note = f"{lines}; the darker the better, the best in orange."
    hidden = len(subject.varied) - len(names)
    if hidden > 0:
        note += f" Left out: {counted(hidden, 'more hyperparameter')}."
    shown = table.head(MOST_ROWS)
    rows = [
        (
            trial_id(cells[0]),
            number(cells[1]),
            *(ABSENT_WORDS if v is None else short(v) for v in cells[2:]),
        )
        for cells in shown.itertuples(index=False, name=None)
    ]
    header = ["trial", subject.run.metric, *(name.removesuffix("/name") for name in names)]
    of = f", the best {MOST_ROWS}" if len(table) > MOST_ROWS else ""
    return (
        page.figure(drawn, "parallel", least_width=LEAST_WIDTH),
        page.paragraph(note, kind="note"),
        page.folded(f"The trials as a table{of}", page.table(header, rows)),
    )

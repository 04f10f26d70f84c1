"""Learning curves, and where trials were stopped."""

import math

import pandas as pd
import plotly.graph_objects as go

from analysis.report import page
from analysis.report.stopping import stops_block, stops_table
from analysis.report.style import (
    BEST,
    FAINT,
    STATE_COLORS,
    new_figure,
    plain,
    state_words,
    whole_step,
)
from analysis.report.subject import Subject
from analysis.report.texts import number, rows_of, spread_out
from trainable.trial_folder import trial_id

HEIGHT = 380
MOST_CURVES, MOST_BEST = 200, 50
DRAWN_STATES = ("failed", "pruned", "running", "complete")
DASHES = {"failed": "dot"}


def curves_table(subject: Subject) -> pd.DataFrame:
    """Return the curves that are drawn: all, or of more than 200 the best 50 and some others.

    The others are every so many-th one in the order of the ranking.

    Returns:
        A row an epoch with the columns ``trial``, ``state``, ``epoch`` (from 1) and ``value``,
        the run's metric; the trials in the order of the ranking.
    """
    states = dict(zip(subject.ranking["trial"], subject.ranking["state"], strict=True))
    drawn = [n for n in states if subject.run.trials[n].intermediate_values]
    if len(drawn) > MOST_CURVES:
        others = spread_out(drawn[MOST_BEST:], MOST_CURVES - MOST_BEST)
        drawn = drawn[:MOST_BEST] + others
    rows = [
        (trial, states[trial], epoch, value)
        for trial in drawn
        for epoch, value in sorted(subject.run.trials[trial].intermediate_values.items())
        if math.isfinite(value)
    ]
    return pd.DataFrame(rows, columns=["trial", "state", "epoch", "value"])


def curves_figure(curves: pd.DataFrame, stops: pd.DataFrame, metric: str) -> go.Figure:
    """Draw curves by state, the best trial on top, and a dashed line at each rung."""
    drawn = new_figure(height=HEIGHT)
    best = int(curves["trial"].iloc[0])
    others = curves[curves["trial"] != best]
    for state in DRAWN_STATES:
        of_state = others[others["state"] == state]
        if len(of_state):
            style = {"color": STATE_COLORS[state], "width": 1, "dash": DASHES.get(state, "solid")}
            _add_curves(drawn, of_state, name=state_words(state), metric=metric, line=style)
    _add_ends(drawn, others)
    of_best, style = curves[curves["trial"] == best], {"color": BEST, "width": 2.5}
    _add_curves(drawn, of_best, name=f"best: {trial_id(best)}", metric=metric, line=style)
    _add_rungs(drawn, [int(epoch) for epoch in stops.loc[stops["is_rung"], "epoch"]])
    last = int(curves["epoch"].max())
    drawn.update_xaxes(title="epoch", dtick=whole_step(last), range=[0.7, last + 0.3])
    drawn.update_yaxes(title=plain(metric))
    return drawn


def _add_curves(
    drawn: go.Figure, curves: pd.DataFrame, *, name: str, metric: str, line: dict[str, object]
) -> None:
    """Add curves as one line with gaps: hundreds of lines of their own would be slow."""
    x: list[int | None] = []
    y: list[float | None] = []
    hover: list[str] = []
    for trial, of_trial in curves.groupby("trial", sort=False):
        x += [*of_trial["epoch"].tolist(), None]
        y += [*of_trial["value"].round(5).tolist(), None]
        hover += [
            f"trial {trial_id(int(str(trial)))}, epoch {epoch}<br>{plain(metric)} {number(value)}"
            for epoch, value in zip(of_trial["epoch"], of_trial["value"], strict=True)
        ]
        hover.append("")
    # A curve of a single epoch is nothing without its point.
    mode = "lines+markers" if len(x) < 400 or curves["epoch"].max() == 1 else "lines"
    opacity = 0.7 if len(curves) < 1000 else 0.4
    drawn.add_scatter(
        x=x,
        y=y,
        mode=mode,
        name=name,
        line=line,
        marker={"size": 4},
        opacity=1 if line["color"] == BEST else opacity,
        hovertext=hover,
        hoverinfo="text",
    )


def _add_rungs(drawn: go.Figure, epochs: list[int]) -> None:
    line = {"color": FAINT, "width": 1, "dash": "dash"}
    for epoch in epochs:
        drawn.add_vline(x=epoch, line=line, layer="below")
    if epochs:  # for the legend alone
        drawn.add_scatter(x=[None], y=[None], mode="lines", name="rung", line=line)


def _add_ends(drawn: go.Figure, curves: pd.DataFrame) -> None:
    """Mark where trials were stopped by the scheduler."""
    ends = curves[curves["state"] == "pruned"].groupby("trial").tail(1)
    if len(ends):
        drawn.add_scatter(
            x=ends["epoch"],
            y=ends["value"].round(5),
            mode="markers",
            name="stopped here",
            marker={"symbol": "x", "size": 6, "color": FAINT},
            hoverinfo="skip",
        )


def ends_table(subject: Subject) -> pd.DataFrame:
    """Return how each curve went, of all trials that finished an epoch, best first.

    Returns:
        A row a trial with the columns ``trial``, ``state``, ``epochs``, ``best_epoch``; ``best``,
        the value there; ``last``, that of the last epoch, missing where it is no number.
    """
    sign = subject.sign
    rows = []
    for row in rows_of(subject.ranking):
        curve = subject.run.trials[row.trial].intermediate_values
        finite = {epoch: value for epoch, value in sorted(curve.items()) if math.isfinite(value)}
        if finite:
            best = max(finite, key=lambda epoch: sign * finite[epoch])
            last = finite.get(max(curve), math.nan)
            rows.append((row.trial, row.state, len(curve), best, finite[best], last))
    return pd.DataFrame(rows, columns=["trial", "state", "epochs", "best_epoch", "best", "last"])


def curves(subject: Subject) -> tuple[str, ...]:
    """Return the section."""
    shown, stops, ends = curves_table(subject), stops_table(subject), ends_table(subject)
    if shown.empty:
        return (page.paragraph("No learning curve is recorded.", kind="note"),)
    drawn = curves_figure(shown, stops, subject.run.metric)
    blocks = [page.figure(drawn, "curves")]
    if (num_shown := shown["trial"].nunique()) < len(ends):
        rule = f"the best {MOST_BEST}, and of the others every so many-th in their ranking"
        note = f"Shown are {num_shown} of {len(ends):,} curves: {rule}."
        blocks.append(page.paragraph(note, kind="note"))
    return (*blocks, stops_block(subject, stops), _ends(ends))


def _ends(table: pd.DataFrame) -> str:
    header = ["trial", "state", "epochs", "best value", "in epoch", "last value"]
    rows = [
        (
            trial_id(row.trial),
            state_words(row.state),
            f"{row.epochs}",
            number(row.best),
            f"{row.best_epoch}",
            number(row.last),
        )
        for row in rows_of(table.head(MOST_BEST))
    ]
    of = "" if len(table) <= MOST_BEST else f", the best {MOST_BEST} of {len(table):,}"
    return page.folded(f"The curves as a table{of}", page.table(header, rows))

"""Learning curves, and where trials were stopped."""

import math

import pandas as pd
import plotly.graph_objects as go

from analysis.report import page
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
from analysis.report.texts import counted, number, rows_of, spread_out
from trainable.trial_folder import trial_id

HEIGHT = 380
MOST_CURVES, MOST_BEST = 200, 50
DRAWN_STATES = ("failed", "pruned", "running", "complete")


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


def stops_table(subject: Subject) -> pd.DataFrame:
    """Return where the scheduler stopped trials, of all trials, drawn or not.

    Returns:
        A row an epoch after which at least one was stopped, with the columns ``epoch``,
        ``num_reached`` (trials that finished the epoch) and ``num_stopped``.
    """
    ranking = subject.ranking
    stopped = ranking.loc[ranking["state"] == "pruned", "epochs"]
    rows = [
        (int(epoch), int((ranking["epochs"] >= epoch).sum()), int((stopped == epoch).sum()))
        for epoch in sorted(stopped.unique())
    ]
    return pd.DataFrame(rows, columns=["epoch", "num_reached", "num_stopped"])


def curves_figure(curves: pd.DataFrame, stops: pd.DataFrame, metric: str) -> go.Figure:
    """Draw curves by state, the best trial on top, and a dashed line where trials were stopped."""
    drawn = new_figure(height=HEIGHT)
    best = int(curves["trial"].iloc[0])
    others = curves[curves["trial"] != best]
    for state in DRAWN_STATES:
        of_state = others[others["state"] == state]
        if len(of_state):
            style = {"color": STATE_COLORS[state], "width": 1}
            _add_curves(drawn, of_state, name=state_words(state), metric=metric, line=style)
    _add_ends(drawn, others)
    of_best, style = curves[curves["trial"] == best], {"color": BEST, "width": 2.5}
    _add_curves(drawn, of_best, name=f"best: {trial_id(best)}", metric=metric, line=style)
    for epoch in stops["epoch"]:
        drawn.add_vline(x=epoch, line={"color": FAINT, "width": 1, "dash": "dash"}, layer="below")
    drawn.update_xaxes(title="epoch", dtick=whole_step(int(curves["epoch"].max())))
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
    mode = "lines+markers" if len(x) < 400 else "lines"
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


def curves(subject: Subject) -> tuple[str, ...]:
    """Return the section."""
    shown, stops = curves_table(subject), stops_table(subject)
    blocks = [page.figure(curves_figure(shown, stops, subject.run.metric), "curves")]
    num_all = sum(bool(trial.intermediate_values) for trial in subject.run.trials)
    if (num_shown := shown["trial"].nunique()) < num_all:
        rule = f"the best {MOST_BEST}, and of the others every so many-th in their ranking"
        note = f"Shown are {num_shown} of {num_all:,} curves: {rule}."
        blocks.append(page.paragraph(note, kind="note"))
    return (*blocks, *_where_stopped(subject, stops))


def _where_stopped(subject: Subject, stops: pd.DataFrame) -> list[str]:
    options = subject.run.facts.get("options", {})
    scheduler = options.get("scheduler")
    if stops.empty:
        return [page.paragraph("No trial was stopped early.", kind="note")]
    where = ", ".join(
        f"epoch {row.epoch}: {row.num_stopped:,} of {row.num_reached:,}" for row in rows_of(stops)
    )
    by = f" by {scheduler}" if scheduler else ""
    total = counted(int(stops["num_stopped"].sum()), "trial")
    text = f"Stopped early{by}, {total} (of those that reached the rung): {where}."
    return [page.paragraph(text, kind="note")]

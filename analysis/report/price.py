"""What a trial cost against how good it is, and which trials are worth their time."""

import pandas as pd
import plotly.graph_objects as go

from analysis.report import page
from analysis.report.style import (
    BEST,
    STATE_COLORS,
    STATE_SYMBOLS,
    new_figure,
    plain,
    state_words,
)
from analysis.report.subject import Subject
from analysis.report.texts import duration, number, rows_of
from trainable.trial_folder import trial_id

HEIGHT = 340
FEWEST = 2
WIDE = 50  # from the cheapest to the dearest; beyond it seconds lie at their logarithm
TICKS = {
    0.1: "0.1 s",
    1: "1 s",
    10: "10 s",
    60: "1 min",
    600: "10 min",
    3_600: "1 h",
    36_000: "10 h",
    360_000: "100 h",
}


def price_table(subject: Subject) -> pd.DataFrame:
    """Return what each ranked trial cost.

    Returns:
        A row a trial whose time is recorded, the cheapest first, with the columns ``trial``;
        ``state``; ``seconds`` that it trained; ``value``; ``is_front``: whether no trial that
        took no longer is as good (the Pareto front).
    """
    ranked = subject.ranked
    table = ranked.loc[ranked["seconds"] > 0, ["trial", "state", "seconds", "value"]]
    table = table.assign(goodness=subject.sign * table["value"])
    table = table.sort_values(
        ["seconds", "goodness"], ascending=[True, False], kind="stable", ignore_index=True
    )
    goodness = table.pop("goodness")
    before = goodness.cummax().shift(fill_value=float("-inf"))
    return table.assign(is_front=goodness > before)


def price_figure(table: pd.DataFrame, metric: str) -> go.Figure:
    """Draw ``price_table``: a point a trial, and the front as a line."""
    drawn = new_figure(height=HEIGHT)
    for state, of_state in table.groupby("state", sort=True):
        color = STATE_COLORS[str(state)]
        drawn.add_scatter(
            x=of_state["seconds"].round(1),
            y=of_state["value"].round(5),
            mode="markers",
            name=state_words(str(state)),
            marker={
                "color": color,
                "symbol": STATE_SYMBOLS[str(state)],
                "size": 7 if len(table) < 300 else 4,
                "line": {"width": 1.3, "color": color},
            },
            hovertext=[
                f"trial {trial_id(row.trial)}, {duration(row.seconds)}<br>"
                f"{plain(metric)} {number(row.value)}"
                for row in rows_of(of_state)
            ],
            hoverinfo="text",
        )
    front = table[table["is_front"]]
    drawn.add_scatter(
        x=front["seconds"].round(1),
        y=front["value"].round(5),
        mode="lines",
        name="best for its time",
        line={"color": BEST, "shape": "hv", "width": 2},
        hoverinfo="skip",
    )
    is_wide = table["seconds"].max() > WIDE * table["seconds"].min()
    if is_wide:
        drawn.update_xaxes(title="time in training", type="log")
        drawn.update_xaxes(tickvals=list(TICKS), ticktext=list(TICKS.values()))
    else:
        drawn.update_xaxes(title="seconds in training")
    drawn.update_yaxes(title=plain(metric))
    return drawn


def price(subject: Subject) -> tuple[str, ...]:
    """Return the section."""
    table = price_table(subject)
    if len(table) < FEWEST:
        return (page.paragraph("The time of fewer than two trials is recorded.", kind="note"),)
    rows = [
        (trial_id(row.trial), duration(row.seconds), number(row.value), state_words(row.state))
        for row in rows_of(table[table["is_front"]])
    ]
    header = ["trial", "time", subject.run.metric, "state"]
    return (
        page.figure(price_figure(table, subject.run.metric), "price"),
        page.folded("The trials that are best for their time", page.table(header, rows)),
    )

"""How the search came to its best value."""

from datetime import datetime

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
from analysis.report.texts import counted, number, rows_of
from trainable.trial_folder import trial_id

HEIGHT = 340
SHOWN_STATES = ("pruned", "complete", "running")


def history_table(subject: Subject) -> pd.DataFrame:
    """Return the trials in the order in which they ended.

    Returns:
        A row a trial that has done an epoch with the columns

        - ``trial``; ``state``; ``value``: the run's metric as the search told Optuna, missing
          for failed trials;
        - ``epochs_spent``: epochs of all trials that had ended by then, its own included;
          unfinished trials come last;
        - ``best_so_far``: the best value of a complete or stopped trial by then.
    """
    ended = {t.number: t.datetime_complete or datetime.max for t in subject.run.trials}  # noqa: DTZ901
    table = subject.ranking[["trial", "state", "value", "epochs"]]
    table = table[table["epochs"] > 0]
    order = sorted(table.index, key=lambda row: (ended[table["trial"][row]], table["trial"][row]))
    table = table.loc[order].reset_index(drop=True)
    table["epochs_spent"] = table.pop("epochs").cumsum().astype(int)
    told = table["value"].where(table["state"].isin(("complete", "pruned")))
    best = (subject.sign * told).cummax().ffill()
    table["best_so_far"] = subject.sign * best
    return table


def history_figure(table: pd.DataFrame, metric: str) -> go.Figure:
    """Draw ``history_table``: a point a trial, and the best so far as a line."""
    drawn = new_figure(height=HEIGHT)
    for state in SHOWN_STATES:
        of_state = table[(table["state"] == state) & table["value"].notna()]
        if of_state.empty:
            continue
        drawn.add_scatter(
            x=of_state["epochs_spent"],
            y=of_state["value"].round(5),
            mode="markers",
            name=state_words(state),
            marker={
                "color": STATE_COLORS[state],
                "symbol": STATE_SYMBOLS[state],
                "size": 7 if len(table) < 300 else 4,
                "line": {"width": 1.3, "color": STATE_COLORS[state]},
            },
            hovertext=[
                f"trial {trial_id(row.trial)}<br>{plain(metric)} {number(row.value)}"
                for row in rows_of(of_state)
            ],
            hoverinfo="text",
        )
    drawn.add_scatter(
        x=table["epochs_spent"],
        y=table["best_so_far"].round(5),
        mode="lines",
        name="best so far",
        line={"color": BEST, "shape": "hv", "width": 2},
        hoverinfo="skip",
    )
    drawn.update_xaxes(title="epochs trained by all trials together", tickformat=",d")
    drawn.update_yaxes(title=plain(metric))
    return drawn


def improvements_table(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of ``history_table`` whose trial was better than all that ended before."""
    best = table["best_so_far"]
    return table[best.notna() & (best != best.shift())].reset_index(drop=True)


def history(subject: Subject) -> tuple[str, ...]:
    """Return the section."""
    table = history_table(subject)
    if table.empty:
        return (page.paragraph("No epoch is recorded.", kind="note"),)
    steps = improvements_table(table)
    drawn = history_figure(table, subject.run.metric)
    spent = int(table["epochs_spent"].iloc[-1])
    first = int(steps["epochs_spent"].iloc[-1])
    text = (
        f"The best value was there after {first:,} of {counted(spent, 'epoch')}. "
        "A complete trial counts by its best epoch, one that was stopped by its last."
    )
    rows = [
        (trial_id(row.trial), state_words(row.state), f"{row.epochs_spent:,}", number(row.value))
        for row in rows_of(steps)
    ]
    header = ["trial", "state", "epochs by then", subject.run.metric]
    return (
        page.figure(drawn, "history"),
        page.paragraph(text, kind="note"),
        page.folded("The trials that were better than all before", page.table(header, rows)),
    )

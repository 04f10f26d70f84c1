"""Which sampler, loss, schedule and so on helps: the tables that a team writes by hand."""

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analysis.estimates.interval import interval
from analysis.report import page
from analysis.report.ablation import ablation_blocks
from analysis.report.style import (
    BEST,
    SECOND,
    label,
    new_figure,
    plain,
    rows_height,
    with_rows,
)
from analysis.report.subject import Subject
from analysis.report.texts import between, number, rows_of, short
from analysis.run_folder import CONFIG
from trainable.trial_folder import trial_id

NUM_RESAMPLES = 1_000
MOST_VALUES = 12
FEWEST_FOR_INTERVAL = 5
COLUMNS = [
    "name",
    "value",
    "num_trials",
    "mean",
    "low",
    "high",
    "best",
    "best_trial",
    "gain",
    "gain_low",
    "gain_high",
]
NOTE = (
    "In brackets the number of trials. Mean over the trials with each choice, whatever else "
    "differs between them; the bar, and '90 %', is where it lies with 90 % probability, from the "
    "trials drawn again; fewer than five trials have none. In the table, 'against others' is how "
    "much better it is than the other choices together; it is certain only as far as its interval "
    "leaves out 0. The search itself tries promising choices with promising company, and trials "
    "that were stopped count by their last epoch: for a verdict, run "
    "spaces/one_at_a_time.py.{more}"
)


def slices_table(subject: Subject) -> pd.DataFrame:
    """Return how well trials with each choice did, of all ranked trials.

    A choice is a value of a hyperparameter with at most twelve values (of more, only those that
    are no numbers are shown, the twelve most frequent).

    Returns:
        A row a choice, in the order of the space, each one's values from best mean to worst,
        with the columns

        - ``name``, ``value``: the hyperparameter and its value;
        - ``num_trials``: ranked trials with it; ``mean`` of their values; ``low``, ``high``:
          its 90 % interval from resampled trials, missing for fewer than five: from two or three,
          resamples are far too alike;
        - ``best``, ``best_trial``: the best value, and whose it is;
        - ``gain``: how much better the mean is than that of the trials with another value,
          positive is better, also for a loss; ``gain_low``, ``gain_high``: its 90 % interval,
          missing where either side has fewer than five trials.
    """
    rng = np.random.default_rng(0)
    rows = [row for name in _choices(subject) for row in _of_name(subject, name, rng)]
    table = pd.DataFrame(rows, columns=COLUMNS)
    places = {name: place for place, name in enumerate(dict.fromkeys(table["name"]))}
    keys = table.assign(place=table["name"].map(places), goodness=-subject.sign * table["mean"])
    order = keys.sort_values(["place", "goodness"], kind="stable").index
    return table.loc[order].reset_index(drop=True)


def _choices(subject: Subject) -> Iterator[str]:
    for name in subject.varied:
        values = subject.ranked[CONFIG + name].dropna()
        kinds = values.map(repr).nunique()
        is_number = values.map(lambda v: isinstance(v, int | float)).all()
        if kinds > 1 and (kinds <= MOST_VALUES or not is_number) and kinds < len(values):
            yield name


def _of_name(
    subject: Subject, name: str, rng: np.random.Generator
) -> Iterator[tuple[object, ...]]:
    ranked = subject.ranked[subject.ranked[CONFIG + name].notna()]
    texts = ranked[CONFIG + name].map(short)
    values = ranked["value"].to_numpy(float)
    means = {text: _means(values[texts == text], rng) for text in texts.value_counts().index}
    for text in list(means)[:MOST_VALUES]:
        with_it = ranked[texts == text]
        others = values[texts != text]
        gain = subject.sign * (with_it["value"].mean() - others.mean())
        gains = subject.sign * (means[text] - _means(others, rng))
        yield (
            name,
            text,
            len(with_it),
            with_it["value"].mean(),
            *_interval(means[text], len(with_it)),
            with_it["value"].iloc[0],
            int(with_it["trial"].iloc[0]),
            gain,
            *_interval(gains, min(len(with_it), len(others))),
        )


def _means(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the mean of each resample of the trials, float64 [num_resamples]."""
    drawn = rng.integers(len(values), size=(NUM_RESAMPLES, len(values)))
    return np.asarray(values[drawn].mean(axis=1))


def _interval(values: np.ndarray, fewest: int) -> tuple[float, float]:
    return interval(values) if fewest >= FEWEST_FOR_INTERVAL else (math.nan, math.nan)


def slices_figure(table: pd.DataFrame, metric: str) -> go.Figure:
    """Draw ``slices_table``: a point and its interval a choice, under the name."""
    labels: list[str] = []
    places: list[int] = []
    for name, of_name in table.groupby("name", sort=False):
        labels.append(f"<b>{plain(_without_name(str(name)))}</b>")
        for row in rows_of(of_name):
            places.append(len(labels))
            labels.append(f"{label(row.value)} ({row.num_trials})")
    drawn = new_figure(height=rows_height(len(labels)))
    bars = {
        "array": (table["high"] - table["mean"]).fillna(0).round(5),
        "arrayminus": (table["mean"] - table["low"]).fillna(0).round(5),
        "thickness": 1.5,
        "width": 4,
    }
    drawn.add_scatter(
        x=table["mean"].round(5),
        y=places,
        error_x=bars,
        mode="markers",
        name="mean",
        marker={"color": SECOND, "size": 8},
        hoverinfo="x",
    )
    drawn.add_scatter(
        x=table["best"].round(5),
        y=places,
        mode="markers",
        name="best trial",
        marker={"color": BEST, "size": 7, "symbol": "diamond-open"},
        hoverinfo="x",
    )
    drawn.update_xaxes(title=plain(metric))
    return with_rows(drawn, labels)


def _without_name(name: str) -> str:
    return name.removesuffix("/name")


def slices(subject: Subject) -> tuple[str, ...]:
    """Return the section."""
    table = slices_table(subject)
    ablation = tuple(ablation_blocks(subject))
    if table.empty:
        return ablation or (page.paragraph("No choice was tried more than once.", kind="note"),)
    header = ["", "choice", "trials", "mean", "90 %", "best", "trial", "against others", "90 %"]
    rows = [
        (
            _without_name(row.name),
            row.value,
            f"{row.num_trials:,}",
            number(row.mean),
            between(row.low, row.high),
            number(row.best),
            trial_id(row.best_trial),
            f"{row.gain:+.4f}",
            between(row.gain_low, row.gain_high),
        )
        for row in rows_of(table)
    ]
    return (
        *ablation,
        *([page.subtitle("Each choice over all trials")] if ablation else []),
        page.figure(slices_figure(table, subject.run.metric), "slices"),
        page.as_table(header, rows),
        page.paragraph(NOTE.format(more=_left_out(subject, table)), kind="note"),
    )


def _left_out(subject: Subject, table: pd.DataFrame) -> str:
    """Return how many values of a hyperparameter are not shown, if there are such."""
    shown = table["name"].value_counts()
    counts = {
        name: subject.ranked[CONFIG + str(name)].dropna().map(short).nunique()
        for name in shown.index
    }
    cut = [
        f"{_without_name(str(name))} ({MOST_VALUES} of {counts[name]})"
        for name in shown.index[shown == MOST_VALUES]
        if counts[name] > MOST_VALUES
    ]
    return f" Shown are the most frequent choices of {', '.join(cut)}." if cut else ""

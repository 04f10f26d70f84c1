"""One change at a time: trials that differ from a base in a single family, against the base."""

import math
from collections.abc import Iterator, Sequence
from contextlib import suppress

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analysis.estimates.interval import Interval, Resamples
from analysis.estimates.labelled import Labelled
from analysis.estimates.metric import VALIDATION
from analysis.recorded import read_probabilities
from analysis.report import page
from analysis.report.single_change import Setting, find_base
from analysis.report.style import (
    FAINT,
    SECOND,
    label,
    new_figure,
    plain,
    rows_height,
    with_rows,
)
from analysis.report.subject import SEED, Subject
from analysis.report.texts import between, number, rows_of
from analysis.study_file import CONFIG as GIVEN
from trainable.errors import ConfigError
from trainable.trial_folder import trial_id

COLUMNS = ["family", "change", "trial", "value", "gain", "low", "high"]
UNKNOWN = (math.nan, math.nan)
NOTE = (
    "Complete trials that differ from trial {base} in one family alone, and how much better they "
    "are than it (positive is better, also for a loss). The bar, and '90 %': where the difference "
    "lies with 90 % probability, from the people drawn again, the same for both. What another "
    "seed would change is not in it{seeds}."
)
SEEDS = ": rows named seed show that"


def ablation_table(subject: Subject) -> pd.DataFrame:
    """Return what single changes to a base were worth.

    Returns:
        A row a complete trial, families in the order of the base's configuration, best gain
        first, with the columns

        - ``family`` that differs, empty for the base, which comes first, and ``seed`` where only
          the seed differs; ``change``: what is different, as text;
        - ``trial``; ``value``: the run's metric;
        - ``gain``: how much better than the base, positive is better, also for a loss; ``low``,
          ``high``: its 90 % interval from the people drawn again, missing without recorded
          probabilities.

        No rows where fewer than three trials differ from any base in one family.
    """
    ranked = subject.ranked
    complete = ranked.loc[ranked["state"] == "complete", "trial"].sort_values()
    configs = {int(n): subject.run.trials[n].user_attrs.get(GIVEN, {}) for n in complete}
    found = find_base([Setting.of(number, config) for number, config in configs.items()])
    if found is None:
        return pd.DataFrame(columns=COLUMNS)
    base, others = found
    value_of = dict(zip(ranked["trial"], ranked["value"], strict=True))
    rows: list[tuple[object, ...]] = []
    rows.append(("", "base", base.trial, value_of[base.trial], 0.0, *UNKNOWN))
    intervals = gain_intervals(subject, base.trial, [other.trial for _, other in others])
    for family, other in others:
        value = value_of[other.trial]
        gain = subject.sign * (value - value_of[base.trial])
        interval = intervals.get(other.trial, UNKNOWN)
        rows.append((family, other.change(family, base), other.trial, value, gain, *interval))
    table = pd.DataFrame(rows, columns=COLUMNS)
    places = {family: place for place, family in enumerate(["", *base.families])}
    table["place"] = table["family"].map(places).fillna(len(places))
    table = table.sort_values(["place", "gain"], ascending=[True, False], kind="stable")
    return table.drop(columns="place").reset_index(drop=True)


def gain_intervals(subject: Subject, base: int, trials: Sequence[int]) -> dict[int, Interval]:
    """Return where each gain over the base lies, as far as predictions are recorded."""
    found = {}
    metric = subject.run.metric.removeprefix(VALIDATION)
    with suppress(ConfigError):  # what is damaged is named by the sections that are about it
        resamples = Resamples(Labelled.of(subject.data, "val"))
        of_base = _probabilities(subject, base)
        for trial in trials:
            with suppress(ConfigError):
                pair = (_probabilities(subject, trial), of_base)[:: subject.sign]
                found[trial] = resamples.interval_of_gain(metric, pair[0], pair[1])
    return found


def _probabilities(subject: Subject, trial: int) -> np.ndarray:
    file = subject.run.trial_folder(trial).probabilities
    return read_probabilities(file, subject.data).probabilities


def ablation_figure(table: pd.DataFrame, metric: str) -> go.Figure:
    """Draw ``ablation_table``: the gain over the base, a row a trial, under its family."""
    labels: list[str] = []
    places: list[int] = []
    changes = table[table["family"] != ""]
    for family, of_family in changes.groupby("family", sort=False):
        labels.append(f"<b>{plain(family)}</b>")
        for change in of_family["change"]:
            places.append(len(labels))
            labels.append(label(change))
    drawn = new_figure(height=rows_height(len(labels)) - 20)
    drawn.add_vline(x=0, line={"color": FAINT, "width": 1, "dash": "dash"}, layer="below")
    drawn.add_scatter(
        x=changes["gain"].round(5),
        y=places,
        error_x={
            "array": (changes["high"] - changes["gain"]).clip(lower=0).fillna(0).round(5),
            "arrayminus": (changes["gain"] - changes["low"]).clip(lower=0).fillna(0).round(5),
            "thickness": 1.5,
            "width": 4,
        },
        mode="markers",
        marker={"color": SECOND, "size": 8},
        hoverinfo="x",
    )
    drawn.update_layout(margin={"t": 8}, showlegend=False)
    drawn.update_xaxes(title=f"better than the base by, {plain(metric)}")
    return with_rows(drawn, labels)


def ablation_blocks(subject: Subject) -> Iterator[str]:
    """Yield the part of a section, nothing where there is no base."""
    table = ablation_table(subject)
    if table.empty:
        return
    base = trial_id(int(table["trial"][0]))
    yield page.subtitle(f"One change at a time, against trial {base}")
    yield page.figure(ablation_figure(table, subject.run.metric), "ablation")
    rows = [
        (
            row.family,
            row.change,
            trial_id(row.trial),
            number(row.value),
            f"{row.gain:+.4f}" if row.family else "",
            between(row.low, row.high),
        )
        for row in rows_of(table)
    ]
    header = ["", "change", "trial", subject.run.metric, "better by", "90 %"]
    yield page.as_table(header, rows)
    seeds = SEEDS if SEED in set(table["family"]) else ""
    yield page.paragraph(NOTE.format(base=base, seeds=seeds), kind="note")

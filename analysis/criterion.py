"""What trials are ranked by: what the search told Optuna, or any metric that they recorded."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from analysis.run_folder import RunFolder, trials_table
from trainable.errors import ConfigError, expected, unknown
from trainable.objective import Objective

At = Literal["best", "last"]
NOT_RANKED_BY = ("trial", "epoch")
MOST_NEAR = 8


@dataclass(frozen=True)
class Criterion:
    """A recorded metric, and the epoch of each trial that counts.

    Args:
        metric: A column of ``metrics.csv``, such as ``val/f1/age/old``.
        at: ``best`` for the trial's best epoch by that metric, ``last`` for its last epoch.
    """

    metric: str
    at: At = "best"

    @property
    def objective(self) -> Objective:
        """Return the metric with its direction."""
        return Objective(self.metric)

    def check(self, runs: Sequence[RunFolder]) -> None:
        """Check that a run has recorded the metric.

        Raises:
            ConfigError: If none has, though some have recorded epochs.
        """
        known = recorded_columns(runs)
        if known and self.metric not in known:
            near = difflib.get_close_matches(self.metric, known, n=MOST_NEAR, cutoff=0)
            raise ConfigError(unknown("--metric", "a recorded metric", self.metric, near))

    def sentences(self) -> list[str]:
        """Return how trials are ranked, for a reader of the ranking."""
        better = "higher" if self.objective.mode == "max" else "lower"
        ranked = f"Ranked by {self.metric}, {better} is better, at the {self.at} epoch of each "
        ranked += "trial, also of those stopped early."
        if self.at == "last":
            return [ranked]
        return [
            f"{ranked} A best epoch is chosen in hindsight: more epochs are more to choose from."
        ]


def recorded_columns(runs: Sequence[RunFolder]) -> list[str]:
    """Return the columns of all learning curves that trials can be ranked by."""
    names = dict.fromkeys(str(name) for run in runs for name in run.curves)
    return [name for name in names if name not in NOT_RANKED_BY]


def table_by(run: RunFolder, criterion: Criterion) -> pd.DataFrame:
    """Return the trials as ``trials_table`` does, with values by a criterion.

    Returns:
        The same columns; ``value`` and ``value_epoch`` are of the criterion's metric, missing
        where a trial has no such value at that epoch, and for trials that failed.
    """
    table = trials_table(run)
    curves = run.curves.reindex(columns=["trial", "epoch", criterion.metric])
    curves = curves.rename(columns={criterion.metric: "value", "epoch": "value_epoch"})
    curves["value"] = pd.to_numeric(curves["value"], errors="coerce")
    chosen = _chosen(curves, criterion).astype({"value_epoch": "Int64", "value": "float64"})
    table = table.drop(columns=["value", "value_epoch"]).merge(chosen, on="trial", how="left")
    has_failed = table["state"] == "failed"
    for place, (name, missing) in enumerate({"value": float("nan"), "value_epoch": pd.NA}.items()):
        table.insert(2 + place, name, table.pop(name).mask(has_failed, missing))
    return table


def _chosen(curves: pd.DataFrame, criterion: Criterion) -> pd.DataFrame:
    """Return the row of each trial that counts; none where it has no finite value."""
    last = curves.groupby("trial")["value_epoch"].transform("max")
    there = curves["value"].abs() < float("inf")
    if criterion.at == "last":
        return curves[there & (curves["value_epoch"] == last)]
    losses = curves[there].assign(loss=-criterion.objective.sign * curves["value"])
    ordered = losses.sort_values(["trial", "loss", "value_epoch"], kind="stable")
    return ordered.drop_duplicates("trial").drop(columns="loss")


def common_metric(runs: Sequence[RunFolder]) -> str:
    """Return the metric that all runs optimised.

    Raises:
        ConfigError: If they optimised different ones.
    """
    by_metric: dict[str, list[str]] = {}
    for run in runs:
        by_metric.setdefault(run.metric, []).append(run.place)
    if len(by_metric) == 1:
        return runs[0].metric
    got = "; ".join(f"{metric} of {', '.join(places)}" for metric, places in by_metric.items())
    remedy = f"Say by --metric which one counts, such as --metric {runs[0].metric}."
    raise ConfigError(expected("metric", "runs that optimised the same", got, remedy))

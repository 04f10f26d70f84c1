"""Trials of one or many runs in one table, best first."""

from collections.abc import Sequence

import pandas as pd

from analysis.run_folder import RunFolder, curves_table, trials_table
from trainable.errors import ConfigError, expected

RANKED_STATES = ("complete", "pruned")
STATE_ORDER = (*RANKED_STATES, "running", "waiting", "failed")


def ranking_table(runs: Sequence[RunFolder], *, with_accuracy: bool = True) -> pd.DataFrame:
    """Return the trials of all runs, best first.

    Complete and pruned trials are ranked together by ``value``: the best epoch of the one, the
    last of the other, as the search told Optuna. Trials that are equally good keep the order of
    their runs and numbers.

    Args:
        runs: The runs.
        with_accuracy: Whether every trial's metrics.csv is read for its accuracy.

    Returns:
        A table with the columns

        - ``rank``: from 1; missing for running, waiting, failed trials, which follow in this
          order, and for those without a value;
        - ``run``: name of the run folder;
        - those of ``trials_table``, with ``accuracy`` at ``value_epoch``, in [0, 1], after
          ``value`` if it was asked for.

    Raises:
        ConfigError: If the runs optimised different metrics.
    """
    _check_same_metric(runs)
    table = pd.concat([_of_run(run, with_accuracy) for run in runs], ignore_index=True)
    is_ranked = table["state"].isin(RANKED_STATES) & table["value"].notna()
    places = {state: place for place, state in enumerate(STATE_ORDER)}
    table["place"] = table["state"].map(places).mask(is_ranked, -1)
    table["loss"] = -table["value"] if runs[0].higher_is_better else table["value"]
    table = table.sort_values(["place", "loss"], kind="stable", ignore_index=True)
    ranks = pd.Series(range(1, len(table) + 1), dtype="Int64")
    table.insert(0, "rank", ranks.where(table["place"] == -1))
    return table.drop(columns=["place", "loss"])


def _check_same_metric(runs: Sequence[RunFolder]) -> None:
    for run in runs[1:]:
        if run.metric != runs[0].metric:
            known = f"{runs[0].metric} as in {runs[0].path}"
            raise ConfigError(expected(f"{run.path}: metric", known, run.metric))


def _of_run(run: RunFolder, with_accuracy: bool) -> pd.DataFrame:
    table = _with_accuracy(run) if with_accuracy else trials_table(run)
    table.insert(0, "run", run.name)
    return table


def _with_accuracy(run: RunFolder) -> pd.DataFrame:
    curves = curves_table(run).reindex(columns=["trial", "epoch", "val/accuracy"])
    curves.columns = pd.Index(["trial", "value_epoch", "accuracy"])
    curves = curves.astype({"value_epoch": "Int64", "accuracy": "float64"})
    table = trials_table(run).merge(curves, on=["trial", "value_epoch"], how="left")
    accuracy = table.pop("accuracy").where(table["value"].notna())
    table.insert(list(table).index("value") + 1, "accuracy", accuracy)
    return table


def ranking_notes(runs: Sequence[RunFolder], table: pd.DataFrame) -> list[str]:
    """Return what a reader must know beside the table: how it is ranked, what does not compare."""
    notes = ["Ranked by the best epoch of a complete trial, by the last epoch of a pruned one."]
    if "running" in set(table["state"]):
        notes.append("The value of a running trial is that of its last epoch so far.")
    if len({run.fingerprint for run in runs}) > 1:
        data = ", ".join(f"{run.name} {run.fingerprint}" for run in runs)
        notes.append(f"Values of these runs do not compare, their data differ: {data}.")
    return notes

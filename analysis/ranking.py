"""Trials of one or many runs in one table, best first."""

from collections.abc import Sequence

import pandas as pd

from analysis.agreement import comparable_runs
from analysis.criterion import Criterion, common_metric, table_by
from analysis.provenance import sitting_of
from analysis.run_folder import RunFolder, trials_table
from trainable.trial_folder import trial_id

RANKED_STATES = ("complete", "pruned")
STATE_ORDER = (*RANKED_STATES, "running", "waiting", "failed")
PROVENANCE = ("user", "started", "commit", "host")
MOST_NAMED = 5


def ranking_table(
    runs: Sequence[RunFolder],
    criterion: Criterion | None = None,
    *,
    with_accuracy: bool = True,
) -> pd.DataFrame:
    """Return the trials of all runs, best first.

    Complete and pruned trials are ranked together by ``value``: as the search told Optuna, which
    is the best epoch of the one and the last of the other, or by a criterion. Trials that are
    equally good keep the order of their runs and numbers. Runs whose values do not compare are
    ranked apart, one after the other.

    Args:
        runs: The runs.
        criterion: What to rank by; None for what the search told Optuna.
        with_accuracy: Whether every trial's metrics.csv is read for its accuracy.

    Returns:
        A table with the columns

        - ``rank``: from 1; missing for running, waiting, failed trials, which follow in this
          order, and for those without a value;
        - ``run``: name of the run; ``data``: a number, from 1, equal for runs with the same
          images, classes and split;
        - those of ``trials_table``, with ``accuracy`` at ``value_epoch``, in [0, 1], after
          ``value`` if it was asked for, and before the hyperparameters
        - ``user``, ``started``, ``commit``, ``host``: who began the trial, as ``Sitting``.

    Raises:
        ConfigError: If the runs optimised different metrics and no criterion is given, or no run
            has recorded the criterion's metric.
    """
    if criterion is None:
        common_metric(runs)
        sign = 1 if runs[0].higher_is_better else -1
    else:
        criterion.check(runs)
        sign = criterion.objective.sign
    numbers = comparable_runs(runs).numbers
    tables = [
        _of_run(run, criterion, with_accuracy).assign(data=number)
        for run, number in zip(runs, numbers, strict=True)
    ]
    return _ranked(pd.concat(tables, ignore_index=True), sign=sign)


def _ranked(table: pd.DataFrame, *, sign: int) -> pd.DataFrame:
    is_ranked = table["state"].isin(RANKED_STATES) & table["value"].notna()
    places = {state: place for place, state in enumerate(STATE_ORDER)}
    table["place"] = table["state"].map(places).mask(is_ranked, -1)
    table["loss"] = -sign * table["value"]
    table = table.sort_values(["data", "place", "loss"], kind="stable", ignore_index=True)
    ranks = table.groupby("data").cumcount().add(1).astype("Int64")
    table.insert(0, "rank", ranks.where(table["place"] == -1))
    return table.drop(columns=["place", "loss"])


def _of_run(run: RunFolder, criterion: Criterion | None, with_accuracy: bool) -> pd.DataFrame:
    table = trials_table(run) if criterion is None else table_by(run, criterion)
    if with_accuracy:
        table = _with_accuracy(run, table)
    begun = [sitting_of(run.facts, int(number)) for number in table["trial"]]
    for name in PROVENANCE:
        values = pd.Series([getattr(sitting, name) for sitting in begun], dtype="str")
        table.insert(list(table).index("reason") + 1 + PROVENANCE.index(name), name, values)
    table.insert(0, "run", run.name)
    table.insert(1, "data", 0)
    return table


def _with_accuracy(run: RunFolder, table: pd.DataFrame) -> pd.DataFrame:
    curves = run.curves.reindex(columns=["trial", "epoch", "val/accuracy"])
    curves.columns = pd.Index(["trial", "value_epoch", "accuracy"])
    curves = curves.astype({"value_epoch": "Int64", "accuracy": "float64"})
    table = table.merge(curves, on=["trial", "value_epoch"], how="left")
    accuracy = table.pop("accuracy").where(table["value"].notna())
    table.insert(list(table).index("value") + 1, "accuracy", accuracy)
    return table


def ranking_notes(
    runs: Sequence[RunFolder], table: pd.DataFrame, criterion: Criterion | None = None
) -> list[str]:
    """Return what a reader must know beside the table: how it is ranked, what does not compare."""
    if criterion is None:
        notes = [
            "Ranked by the best epoch of a complete trial, by the last epoch of a pruned one."
        ]
    else:
        notes = [*criterion.sentences(), *_not_ranked(table, criterion), *_kept(runs, criterion)]
    if "running" in set(table["state"]):
        at = "best" if criterion is not None and criterion.at == "best" else "last"
        notes.append(f"The value of a running trial is that of its {at} epoch so far.")
    return [*notes, *comparable_runs(runs).notes]


def _not_ranked(table: pd.DataFrame, criterion: Criterion) -> list[str]:
    rows = table[table["state"].isin(RANKED_STATES) & table["rank"].isna()]
    if rows.empty:
        return []
    trials = zip(rows["run"], rows["trial"], strict=True)
    names = [f"{run} {trial_id(number)}" for run, number in trials]
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    listed = ", ".join(names[:MOST_NAMED]) + more
    return [f"Not ranked, since they have no {criterion.metric} there: {listed}."]


def _kept(runs: Sequence[RunFolder], criterion: Criterion) -> list[str]:
    others = sorted({run.metric for run in runs} - {criterion.metric})
    if not others and criterion.at == "best":
        return []
    metrics = ", ".join(sorted({run.metric for run in runs}))
    return [f"Weights are kept of the best epoch by what the search optimised ({metrics})."]

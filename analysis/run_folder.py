"""A run folder as tables: its trials, their configurations and learning curves."""

import json
import math
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
from optuna.trial import FrozenTrial, TrialState

from analysis import study_file
from analysis.mirror import Mirror
from analysis.study_place import StudyPlace
from trainable.cache_place import default_cache_dir, is_writable
from trainable.data.prepared import PreparedData, read_data
from trainable.errors import ConfigError, expected
from trainable.nearby import nearest_path
from trainable.run_files import RECORD_FILE
from trainable.trial_folder import TrialFolder

STATES = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.RUNNING: "running",
    TrialState.WAITING: "waiting",
    TrialState.FAIL: "failed",
}
FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
CONFIG = "config/"
_COLUMNS = {
    "trial": "int64",
    "state": "str",
    "value": "float64",
    "value_epoch": "Int64",
    "best_epoch": "Int64",
    "epochs": "Int64",
    "seconds": "float64",
    "device_seconds": "float64",
    "predicted_seconds": "float64",
    "reason": "str",
}


class RunFolder:
    """What one search kept, read without changing it; the search may still be running.

    Trials and learning curves are read once, when first asked for: all tables of one
    ``RunFolder`` show the same moment.

    Args:
        path: The folder that ``search.run`` wrote.
        name: What the run is called in tables; the folder's name where not given.
        mirror: The bucket that the folder is a copy of, if it is one.

    Raises:
        ConfigError: If it is not a run folder, or its run.json is damaged.
    """

    def __init__(
        self, path: Path, *, name: str | None = None, mirror: Mirror | None = None
    ) -> None:
        self.path = path
        self.name = name or path.resolve().name
        self.mirror = mirror
        self.facts = _read_facts(path)

    @property
    def place(self) -> str:
        """Where the run is kept: its folder, or its URL."""
        return str(self.path) if self.mirror is None else self.mirror.url_of(self.path)

    @property
    def metric(self) -> str:
        """The metric that the search optimised, such as ``val/f1``."""
        return str(self.facts["metric"])

    @property
    def higher_is_better(self) -> bool:
        """Whether the metric is to be maximised."""
        return bool(self.facts["mode"] == "max")

    @property
    def fingerprint(self) -> str:
        """What tells the run's data from all other data."""
        return str(self.facts["data"]["fingerprint"])

    @cached_property
    def trials(self) -> tuple[FrozenTrial, ...]:
        """The study's trials by number."""
        return tuple(StudyPlace.of(self.facts).read(self.path))

    @cached_property
    def curves(self) -> pd.DataFrame:
        """The learning curves, as ``curves_table`` gives them."""
        files = {trial.number: self.trial_folder(trial.number).metrics for trial in self.trials}
        curves = [_read_curve(number, file) for number, file in files.items() if file.exists()]
        if not curves:
            return pd.DataFrame({"trial": pd.Series(dtype=int), "epoch": pd.Series(dtype=int)})
        return pd.concat(curves, ignore_index=True)

    @cached_property
    def data(self) -> PreparedData:
        """The images that the run was trained on, and their split.

        What is decoded of them is kept where the search kept it, or in the reader's own cache
        where that is another person's.

        Raises:
            ConfigError: If split.csv, or what run.json says of the data, is missing or damaged.
        """
        data = read_data(self.path)
        if self.mirror is None and is_writable(data.cache_dir):
            return data
        return replace(data.kept_in(default_cache_dir()), cache_limit=None)

    def trial_folder(self, number: int) -> TrialFolder:
        """Return where a trial's files are."""
        return TrialFolder.of(self.path, number)


def _read_facts(path: Path) -> dict[str, Any]:
    file = path / RECORD_FILE
    remedy = "Give a folder that search.run wrote, such as runs/NAME."
    if not path.is_dir():
        remedy = nearest_path(path) or remedy
        raise ConfigError(expected(str(path), "a run folder", "no such folder", remedy))
    if not file.is_file():
        raise ConfigError(
            expected(str(path), "a run folder", f"one without {RECORD_FILE}", remedy)
        )
    try:
        facts = json.loads(file.read_text())
    except ValueError as error:
        raise ConfigError(expected(str(file), "JSON", f"'{error}'")) from error
    if missing := _missing_facts(facts):
        problem = expected(str(file), "what search.run writes", f"no {', '.join(missing)}")
        raise ConfigError(problem)
    return dict(facts)


def _missing_facts(facts: object) -> list[str]:
    if not isinstance(facts, dict):
        return ["object"]
    missing = [key for key in ("metric", "mode") if key not in facts]
    data = facts.get("data")
    if not isinstance(data, dict) or "fingerprint" not in data:
        missing.append("data/fingerprint")
    return missing


def trials_table(run: RunFolder) -> pd.DataFrame:
    """Return one row a trial, by number.

    Returns:
        A table with the columns

        - ``trial``: number in the study; ``state``: complete, pruned, running, waiting, failed;
        - ``value``: the run's metric: of a complete trial at its best epoch, of a pruned or
          running one at its last; missing where there is none;
        - ``value_epoch``, ``best_epoch``, ``epochs``: the epoch that ``value`` is of, the best
          one so far, and the number of epochs trained (epochs count from 1);
        - ``seconds``: time trained; ``device_seconds``: the same, on a share of a GPU counted as
          that share; ``predicted_seconds``: device-seconds that all its epochs were predicted to
          take when it was suggested, missing while too few trials had ended;
        - ``reason``: why it ended: ``epochs``, ``patience``, the scheduler that stopped it such as
          ``asha``, or what failed;
        - ``config/<name>``: one a hyperparameter that any trial was given, in the order of the
          space, with the values as given (dtype object); missing where a trial does not have
          it. A height and width reads ``128x96``.
    """
    rows = [_trial_row(run, trial) for trial in run.trials]
    names = dict.fromkeys(name for row in rows for name in row if name not in _COLUMNS)
    table = pd.DataFrame(rows, columns=[*_COLUMNS, *names], dtype=object)
    return table.astype(_COLUMNS)


def _trial_row(run: RunFolder, trial: FrozenTrial) -> dict[str, Any]:
    values = {e: v for e, v in trial.intermediate_values.items() if math.isfinite(v)}
    best_epoch = trial.user_attrs.get(study_file.BEST_EPOCH) or _best_epoch(run, values)
    value_epoch = best_epoch if trial.state is TrialState.COMPLETE else max(values, default=None)
    row = {
        "trial": trial.number,
        "state": STATES[trial.state],
        "value": _value(trial, values, value_epoch),
        "value_epoch": value_epoch,
        "best_epoch": best_epoch,
        "epochs": max(trial.intermediate_values, default=0),
        "seconds": trial.user_attrs.get(study_file.SECONDS, math.nan),
        "device_seconds": trial.user_attrs.get(study_file.DEVICE_SECONDS, math.nan),
        "predicted_seconds": trial.user_attrs.get(study_file.PREDICTED_SECONDS, math.nan),
        "reason": str(trial.user_attrs.get(study_file.REASON, "")),
    }
    config = trial.user_attrs.get(study_file.CONFIG, {})
    return row | {CONFIG + name: cell(value) for name, value in config.items()}


def _best_epoch(run: RunFolder, values: dict[int, float]) -> int | None:
    best = max if run.higher_is_better else min
    return best(sorted(values), key=lambda epoch: values[epoch], default=None)


def _value(trial: FrozenTrial, values: dict[int, float], epoch: int | None) -> float:
    if trial.state is TrialState.FAIL:
        return math.nan
    if trial.state.is_finished() and trial.value is not None:
        return trial.value
    return math.nan if epoch is None else values.get(epoch, math.nan)


def cell(value: object) -> object:
    """Return a value of a configuration as one cell of a table."""
    return "x".join(map(str, value)) if isinstance(value, list) else value


def curves_table(run: RunFolder) -> pd.DataFrame:
    """Return one row an epoch of every trial that has finished one.

    Returns:
        A table with the column ``trial`` and those of the trials' metrics.csv: ``epoch`` (from
        1), ``seconds``, ``lr``, ``train/loss``, ``val/loss``, ``val/f1`` and so on.

    Raises:
        ConfigError: If a metrics.csv is damaged.
    """
    return run.curves.copy()


def _read_curve(number: int, file: Path) -> pd.DataFrame:
    try:
        curve = pd.read_csv(file)
    except ValueError as error:  # pandas' own errors derive from it
        raise ConfigError(expected(str(file), "a table of metrics", f"'{error}'")) from error
    if "epoch" not in curve.columns:
        raise ConfigError(expected(str(file), "a table of metrics", "no column epoch"))
    curve.insert(0, "trial", number)
    return curve

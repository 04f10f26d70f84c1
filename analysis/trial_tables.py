"""What the trials of a run were trained with, and why some failed, as tables."""

import json
import math
from collections.abc import Iterator
from typing import Any

import pandas as pd
from optuna.trial import FrozenTrial, TrialState

from analysis import study_file
from analysis.failures import kind_of
from analysis.run_folder import RunFolder, cell
from trainable.errors import ConfigError, expected


def parameters_table(run: RunFolder) -> pd.DataFrame:
    """Return one row a trial and hyperparameter, defaults filled in.

    Returns:
        A table with the columns

        - ``trial``: number in the study;
        - ``name``: the hyperparameter, such as ``optimizer/lr``, in the order of the trial's
          config.json;
        - ``value``: what the trial was trained with (dtype object); a height and width reads
          ``128x96``;
        - ``is_default``: whether neither the space nor ``--set`` gave it: then the code did, of
          the version that ran the trial. Before a trial has begun, only what was given is known.

    Raises:
        ConfigError: If a config.json is damaged.
    """
    rows = [row for trial in run.trials for row in _parameters(run, trial)]
    table = pd.DataFrame(rows, columns=["trial", "name", "value", "is_default"], dtype=object)
    return table.astype({"trial": "int64", "name": "str", "is_default": "bool"})


def _parameters(run: RunFolder, trial: FrozenTrial) -> Iterator[tuple[int, str, object, bool]]:
    given: dict[str, Any] = trial.user_attrs.get(study_file.CONFIG, {})
    for name, value in (given | _written_config(run, trial.number)).items():
        yield trial.number, name, cell(value), name not in given


def _written_config(run: RunFolder, number: int) -> dict[str, Any]:
    """Return what a trial wrote of its configuration, by flat name; nothing before it has."""
    file = run.trial_folder(number).config
    if not file.exists():
        return {}
    what = "the configuration of a trial"
    try:
        config = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise ConfigError(expected(str(file), what, f"'{error}'")) from error
    if not isinstance(config, dict):
        raise ConfigError(expected(str(file), what, "something else"))
    return dict(_flat(config))


def _flat(config: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for family, value in config.items():
        if isinstance(value, dict):
            names = sorted(value, key=lambda field: field != "name")
            yield from ((f"{family}/{field}", value[field]) for field in names)
        else:
            yield family, value


def failures_table(run: RunFolder) -> pd.DataFrame:
    """Return one row a trial that failed, by number.

    Returns:
        A table with the columns

        - ``trial``: number in the study;
        - ``kind``: the reason without numbers that differ from trial to trial, to group by;
        - ``reason``: why it failed, in one line;
        - ``epochs``: number of epochs trained before;
        - ``seconds``: time trained; missing where not recorded;
        - ``error``: what its error.txt says, with the traceback of an unexpected error; empty
          where there is none.
    """
    failed = [trial for trial in run.trials if trial.state is TrialState.FAIL]
    types = {"trial": "int64", "kind": "str", "reason": "str", "epochs": "Int64"}
    types |= {"seconds": "float64", "error": "str"}
    rows = [_failure(run, trial) for trial in failed]
    return pd.DataFrame(rows, columns=list(types), dtype=object).astype(types)


def _failure(run: RunFolder, trial: FrozenTrial) -> dict[str, Any]:
    reason = " ".join(str(trial.user_attrs.get(study_file.REASON, "")).split())
    return {
        "trial": trial.number,
        "kind": kind_of(reason),
        "reason": reason,
        "epochs": max(trial.intermediate_values, default=0),
        "seconds": trial.user_attrs.get(study_file.SECONDS, math.nan),
        "error": _error_text(run, trial.number),
    }


def _error_text(run: RunFolder, number: int) -> str:
    file = run.trial_folder(number).error
    return file.read_text(errors="replace").rstrip() if file.exists() else ""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import Trial, TrialState

from trainable.trial_folder import TrialFolder

STATES = {"complete": TrialState.COMPLETE, "pruned": TrialState.PRUNED, "failed": TrialState.FAIL}
MakeRun = Callable[..., Path]


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """Return a function that makes a run folder of learning curves, without weights."""

    def make(
        name: str,
        trials: list[Mapping[str, Any]],
        *,
        metric: str = "val/f1",
        mode: str = "max",
        fingerprint: str = "0123456789abcdef",
    ) -> Path:
        path = tmp_path / name
        path.mkdir()
        facts = {"metric": metric, "mode": mode, "data": {"fingerprint": fingerprint}}
        (path / "run.json").write_text(json.dumps(facts))
        study = optuna.create_study(
            study_name="search",
            storage=f"sqlite:///{path / 'study.db'}",
            direction={"max": "maximize", "min": "minimize"}[mode],
        )
        for trial in trials:
            if trial.get("state") == "waiting":
                study.enqueue_trial({})
            else:
                add_trial(study, path, trial, metric=metric, mode=mode)
        return path

    return make


def add_trial(study, run, record, *, metric, mode):
    trial = study.ask()
    trial.set_user_attr("config", record.get("config", {"optimizer/lr": 0.1}))
    curve = record.get("curve", [])
    for epoch, value in enumerate(curve, start=1):
        trial.report(value, epoch)
    write_curve(TrialFolder.of(run, trial.number), curve, metric)
    if record["state"] == "running":
        return
    finish(trial, record, curve, mode)


def write_curve(folder, curve, metric):
    rows = [
        {"epoch": epoch, "seconds": 2.0 * epoch, metric: value, "val/accuracy": value + 0.01}
        for epoch, value in enumerate(curve, start=1)
    ]
    if rows:
        folder.write_metrics(rows)


def finish(trial: Trial, record, curve, mode):
    state = record["state"]
    best = {"max": max, "min": min}[mode]
    trial.set_user_attr("reason", record.get("reason", "epochs"))
    trial.set_user_attr("seconds", 2.0 * len(curve))
    if curve:
        trial.set_user_attr("best_epoch", 1 + curve.index(best(curve)))
    trial.study.tell(trial, best(curve) if state == "complete" else None, state=STATES[state])

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pandas as pd
import pytest
from optuna.trial import Trial, TrialState
from PIL import Image

import trainable.trial
from analysis.export import main as export
from trainable.config import parse_config
from trainable.data.prepared import PreparedData, prepare_data, write_data
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


COLOURS = {"blue": (30, 60, 200), "green": (40, 180, 60), "red": (200, 40, 50)}
TRAINED = [
    {"resize": "32x24", "optimizer/lr": 0.01, "seed": 1},
    {"resize": "24x24", "optimizer/lr": 0.003, "seed": 2, "ema": 0.5},
    {"resize": "32x24", "optimizer/lr": 0.01, "seed": 3, "head/name": "shallow"},
]


@pytest.fixture(scope="session")
def coloured_data(tmp_path_factory) -> PreparedData:
    """60 noisy images of three colours with an attribute of the class and one of the image."""
    folder = tmp_path_factory.mktemp("coloured")
    rng = np.random.default_rng(0)
    rows = []
    for label, colour in COLOURS.items():
        for number in range(20):
            pixels = np.array(colour) + rng.normal(0, 90, size=(40, 30, 3))
            name = f"photos/{label}{number}.png"
            (folder / "photos").mkdir(exist_ok=True)
            Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(folder / name)
            camera = ["old", "new"][number % 2]
            rows.append((name, label, "yes" if label == "red" else "no", camera))
    table = pd.DataFrame(rows, columns=["path", "label", "warm", "camera"])
    table.to_csv(folder / "table.csv", index=False)
    return prepare_data(str(folder / "table.csv"), cache_dir=folder / "cache", seed=0)


@pytest.fixture(scope="session")
def trained_run(tmp_path_factory, coloured_data) -> Path:
    """A run of three trained trials: two complete, the last pruned."""
    path = tmp_path_factory.mktemp("runs") / "trained"
    path.mkdir()
    facts = {"metric": "val/f1", "mode": "max", "data": write_data(path, coloured_data)}
    (path / "run.json").write_text(json.dumps(facts))
    storage = f"sqlite:///{path / 'study.db'}"
    study = optuna.create_study(study_name="search", storage=storage, direction="maximize")
    for number, changes in enumerate(TRAINED):
        config = {"backbone/name": "test_efficientnet", "batch_size": 8, "epochs": 2} | changes
        trial = study.ask()
        trial.set_user_attr("config", config)
        trained = trainable.trial.Trial(
            parse_config(config), coloured_data, TrialFolder.of(path, number).path
        )
        curve = [trained.run_epoch()["val/f1"] for _ in range(2 if number < 2 else 1)]
        trained.close()
        for epoch, value in enumerate(curve, start=1):
            trial.report(value, epoch)
        finish(trial, {"state": "complete" if number < 2 else "pruned"}, curve, "max")
    return path


@pytest.fixture(scope="session")
def bundle(tmp_path_factory, trained_run) -> Path:
    """The bundle of all trials of ``trained_run``."""
    path = tmp_path_factory.mktemp("bundles") / "bundle"
    assert export([str(trained_run), "--top", "3", "--out", str(path)]) == 0
    return path

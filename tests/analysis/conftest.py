"""Run folders for the tests: of learning curves alone, and of trials that were trained."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import optuna
import pandas as pd
import pytest
from optuna.storages import RDBStorage
from optuna.trial import TrialState, create_trial
from PIL import Image

from analysis.export import main as export
from analysis.exporting import export_trials
from analysis.run_folder import RunFolder
from trainable.config import parse_config
from trainable.data.prepared import PreparedData, prepare_data, write_data
from trainable.trial import Trial
from trainable.trial_folder import TrialFolder

SPLIT = "path,label,person,part\na.png,x,1,train\nb.png,y,2,val\n"
DATA = {
    "source": "photos",
    "root": "photos",
    "crop": None,
    "classes": ["x", "y"],
    "attributes": {},
    "warnings": [],
}
STATES = {
    "complete": TrialState.COMPLETE,
    "pruned": TrialState.PRUNED,
    "failed": TrialState.FAIL,
    "running": TrialState.RUNNING,
    "waiting": TrialState.WAITING,
}


@pytest.fixture(scope="session")
def empty_studies(tmp_path_factory) -> dict[str, Path]:
    """Return an empty study by mode, since copying one is faster than making one."""
    folder = tmp_path_factory.mktemp("studies")
    files = {"max": folder / "maximize", "min": folder / "minimize"}
    for file in files.values():
        optuna.create_study(study_name="search", storage=storage(file), direction=file.name)
    return files


@pytest.fixture
def make_run(tmp_path, empty_studies) -> Callable[..., Path]:
    """Return a function that makes a run folder of learning curves, without weights."""

    def make(
        name,
        trials,
        *,
        metric="val/f1",
        mode="max",
        fingerprint="0123456789abcdef",
        split=SPLIT,
        **record,
    ):
        path = tmp_path / name
        path.mkdir(parents=True)
        data = {**DATA, "cache_dir": str(tmp_path), "fingerprint": fingerprint}
        facts = {"metric": metric, "mode": mode, "data": data, **record}
        (path / "run.json").write_text(json.dumps(facts))
        (path / "split.csv").write_text(split)
        shutil.copyfile(empty_studies[mode], path / "study.db")
        study = optuna.load_study(study_name="search", storage=storage(path / "study.db"))
        for number, trial in enumerate(trials):
            curve = trial.get("curve", [])
            study.add_trial(finished(trial, curve, best={"max": max, "min": min}[mode]))
            write_curve(TrialFolder.of(path, number), curve, metric, trial.get("others", {}))
        return path

    return make


def storage(file):
    """Return the storage of a study, written without waiting for the disk."""

    def connect():
        connection = sqlite3.connect(file, check_same_thread=False)
        connection.execute("PRAGMA synchronous = OFF")
        return connection

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return RDBStorage("sqlite://", engine_kwargs={"creator": connect})


def finished(record, curve, *, best):
    """Return an Optuna trial as a search records it."""
    state = record["state"]
    attributes = {"config": record.get("config", {"optimizer/lr": 0.1})}
    if state in ("complete", "pruned"):
        best_epoch = 1 + curve.index(best(curve))
        attributes |= {"seconds": 2.0 * len(curve), "best_epoch": best_epoch}
    if "reason" in record:
        attributes["reason"] = record["reason"]
    values = {"complete": best, "pruned": lambda curve: curve[-1]}
    return create_trial(
        state=STATES[state],
        value=values[state](curve) if state in values else None,
        intermediate_values=dict(enumerate(curve, start=1)),
        user_attrs=attributes,
    )


def write_curve(folder, curve, metric, others):
    """Write metrics.csv; ``others`` are further columns, a value an epoch."""
    rows = [
        {"epoch": epoch, "seconds": 2.0, metric: value, "val/accuracy": value + 0.01}
        | {name: values[epoch - 1] for name, values in others.items()}
        for epoch, value in enumerate(curve, start=1)
    ]
    if rows:
        folder.write_metrics(rows)


COLOURS = {"blue": (110, 120, 140), "green": (110, 140, 120), "red": (140, 115, 115)}
COMMON = {
    "backbone/name": "test_efficientnet",
    "optimizer/name": "adamw",
    "optimizer/lr": 0.01,
    "batch_size": 8,
    "epochs": 2,
}
TRAINED = [
    {"state": "complete", "epochs": 2, "config": {"resize": "32x24", "seed": 1}},
    {"state": "complete", "epochs": 2, "config": {"resize": "24x24", "seed": 2, "ema": 0.5}},
    {"state": "pruned", "epochs": 1, "config": {"resize": "32x24", "head/name": "shallow"}},
]


@pytest.fixture(scope="session")
def coloured_data(tmp_path_factory) -> PreparedData:
    """Return 60 images of three colours, an attribute of the class, one of the image."""
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
def trained_run(tmp_path_factory, empty_studies, coloured_data) -> Path:
    """Return a run of three trained trials: two complete, the last pruned."""
    path = tmp_path_factory.mktemp("runs") / "trained"
    path.mkdir()
    facts = {"metric": "val/f1", "mode": "max", "data": write_data(path, coloured_data)}
    (path / "run.json").write_text(json.dumps(facts))
    shutil.copyfile(empty_studies["max"], path / "study.db")
    study = optuna.load_study(study_name="search", storage=storage(path / "study.db"))
    for number, record in enumerate(TRAINED):
        folder = TrialFolder.of(path, number).path
        trained = Trial(parse_config(COMMON | record["config"]), coloured_data, folder)
        curve = [trained.run_epoch()["val/f1"] for _ in range(record["epochs"])]
        trained.close()
        study.add_trial(finished(record, curve, best=max))
    return path


@pytest.fixture(scope="session")
def bundle(tmp_path_factory, trained_run) -> Path:
    """Return the bundle of all trials of ``trained_run``."""
    path = tmp_path_factory.mktemp("bundles") / "bundle"
    assert export([str(trained_run), "--top", "3", "--out", str(path)]) == 0
    return path


@pytest.fixture
def export_one(tmp_path) -> Callable[..., tuple[Path, dict[str, np.ndarray]]]:
    """Return a function that trains an epoch and exports it, and returns what was recorded."""

    def export_trained(config, data):
        run, bundle = tmp_path / "run", tmp_path / "bundle"
        folder = TrialFolder.of(run, 0)
        trial = Trial(parse_config(config), data, folder.path)
        trial.run_epoch()
        trial.close()
        facts = {"metric": "val/f1", "mode": "max", "data": write_data(run, data)}
        (run / "run.json").write_text(json.dumps(facts))
        export_trials(RunFolder(run), {0: 1.0}, bundle, chosen="It is the only one.")
        return bundle, dict(np.load(folder.probabilities))

    return export_trained

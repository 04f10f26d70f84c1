"""Prepared data, and a space for it."""

from pathlib import Path

import pytest

from trainable.data.prepared import PreparedData, prepare_data

SPACE = """
DEFAULTS = {"trials": 4, "max_epochs": 3, "grace_period": 1}

def space(trial):
    trial.suggest_categorical("backbone/name", ["test_efficientnet"])
    trial.suggest_categorical("resize", ["32x32"])
    trial.suggest_categorical("optimizer/name", ["adamw"])
    trial.suggest_float("optimizer/lr", 1e-3, 1e-1, log=True)
"""


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def data(coloured_folder, cache_dir) -> PreparedData:
    return prepare_data(str(coloured_folder), cache_dir=cache_dir, seed=0)


@pytest.fixture
def space_file(tmp_path) -> Path:
    path = tmp_path / "tiny.py"
    path.write_text(SPACE)
    return path

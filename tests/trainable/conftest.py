"""A small data set and configuration that the tests of a trial share."""

import pytest

from trainable.config import parse_config
from trainable.data.prepared import PreparedData, prepare_data, write_data
from trainable.files import write_json

QUICK = {
    "backbone/name": "test_efficientnet",
    "resize": "32x24",
    "optimizer/name": "adamw",
    "optimizer/lr": 0.01,
}


@pytest.fixture(scope="session")
def coloured(coloured_folder) -> PreparedData:
    """Return 90 noisy images of three colours, ready to be trained on."""
    return prepare_data(str(coloured_folder), cache_dir=coloured_folder.parent / "cache", seed=0)


@pytest.fixture
def config():
    """Return a function that makes the configuration of a quick trial, changed as wanted."""

    def make(**changes):
        flat = QUICK | {"batch_size": 16, "epochs": 4}
        return parse_config(flat | {name.replace("__", "/"): v for name, v in changes.items()})

    return make


@pytest.fixture
def run_place(tmp_path):
    """Return the folder that the run folder is made in."""
    return tmp_path


@pytest.fixture
def run_folder(coloured, run_place):
    """Return a run folder that has the data of its search, and no trials yet."""
    run_folder = run_place / "run"
    write_json(run_folder / "run.json", {"data": write_data(run_folder, coloured)})
    return run_folder


@pytest.fixture
def message(run_folder, tmp_path):
    """Return a function that makes what the search passes to a worker."""

    def make(number, *, depot=None, **changes):
        return {
            "number": number,
            "config": QUICK | {"epochs": 2} | changes,
            "run_folder": str(run_folder),
            "metric": "val/f1",
            "cpus": 1,
            "gpus": 0,
            "weights_dir": None,
            "measure_in": None,
            "depot": depot,
            "cache_dir": str(tmp_path / "cache"),
        }

    return make

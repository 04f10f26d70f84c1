"""A small data set and configuration that the tests of a trial share."""

import pytest

from trainable.config import parse_config
from trainable.data.prepared import PreparedData, prepare_data


@pytest.fixture(scope="session")
def coloured(coloured_folder) -> PreparedData:
    """Return 90 noisy images of three colours, ready to be trained on."""
    return prepare_data(str(coloured_folder), cache_dir=coloured_folder.parent / "cache", seed=0)


@pytest.fixture
def config():
    """Return a function that makes the configuration of a quick trial, changed as wanted."""

    def make(**changes):
        flat = {
            "backbone/name": "test_efficientnet",
            "resize": "32x24",
            "optimizer/name": "adamw",
            "optimizer/lr": 0.01,
            "batch_size": 16,
            "epochs": 4,
        }
        return parse_config(flat | {name.replace("__", "/"): v for name, v in changes.items()})

    return make

"""A small data set and configuration that the tests of a trial share."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from trainable.config import parse_config
from trainable.data.prepared import PreparedData, prepare_data

COLOURS = {"blue": (30, 60, 200), "green": (40, 180, 60), "red": (200, 40, 50)}


def _write_images(folder: Path, *, num_each: int) -> None:
    rng = np.random.default_rng(0)
    for label, colour in COLOURS.items():
        (folder / label).mkdir(parents=True)
        for number in range(num_each):
            noise = rng.normal(0, 60, size=(32, 24, 3))
            pixels = np.clip(np.array(colour) + noise, 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / label / f"{number}.png")


@pytest.fixture(scope="session")
def coloured(tmp_path_factory) -> PreparedData:
    """90 noisy images of three colours, 32x24."""
    folder = tmp_path_factory.mktemp("coloured")
    _write_images(folder / "images", num_each=30)
    return prepare_data(str(folder / "images"), cache_dir=folder / "cache", seed=0)


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

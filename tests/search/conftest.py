"""Small data on disk, and a space for it."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from trainable.data.prepared import PreparedData, prepare_data

SPACE = """
DEFAULTS = {"trials": 4, "max_epochs": 3, "grace_period": 1}

def space(trial):
    trial.suggest_categorical("backbone/name", ["test_efficientnet"])
    trial.suggest_categorical("resize", ["32x32"])
    trial.suggest_float("optimizer/lr", 1e-3, 1e-1, log=True)
"""


def draw_images(folder: Path, *, num_each: int = 12) -> Path:
    """Write images of two classes, dark and light, that a tiny network tells apart."""
    rng = np.random.default_rng(0)
    for name, level in (("dark", 60), ("light", 190)):
        (folder / name).mkdir(parents=True)
        for number in range(num_each):
            pixels = rng.integers(level - 50, level + 50, (40, 40, 3), dtype=np.uint8)
            cv2.imwrite(str(folder / name / f"{number}.png"), pixels)
    return folder


@pytest.fixture(scope="session")
def images(tmp_path_factory) -> Path:
    return draw_images(tmp_path_factory.mktemp("images"))


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def data(images, cache_dir) -> PreparedData:
    return prepare_data(str(images), cache_dir=cache_dir, seed=0)


@pytest.fixture
def space_file(tmp_path) -> Path:
    path = tmp_path / "tiny.py"
    path.write_text(SPACE)
    return path

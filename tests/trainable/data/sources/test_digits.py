from pathlib import Path

import cv2
import numpy as np
import pytest
from sklearn.datasets import load_digits

from trainable.data.sources.digits import Digits


@pytest.fixture(scope="module")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def test_there_are_1797_images_of_10_classes(cache_dir: Path) -> None:
    index = Digits().read(cache_dir)
    assert len(index) == 1797
    assert index.classes == tuple("0123456789")


def test_pixels_are_those_of_scikit_learn(cache_dir: Path) -> None:
    index = Digits().read(cache_dir)
    digits = load_digits()
    picture = cv2.imread(str(index.root / f"{digits.target[7]}" / "0007.png"), 0)
    assert np.allclose(picture / 255 * 16, digits.images[7], atol=0.05)


def test_files_are_written_once(cache_dir: Path) -> None:
    first = Digits().read(cache_dir)
    written = (first.root / "3" / "0003.png").stat().st_mtime_ns
    Digits().read(cache_dir)
    assert (first.root / "3" / "0003.png").stat().st_mtime_ns == written

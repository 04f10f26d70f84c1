from pathlib import Path

import cv2
import numpy as np
from sklearn.datasets import load_digits

from trainable.data.sources.digits import Digits


def test_there_are_1797_images_of_10_classes(tmp_path: Path) -> None:
    index = Digits().read(tmp_path)
    assert len(index) == 1797
    assert index.classes == tuple("0123456789")


def test_pixels_are_those_of_scikit_learn(tmp_path: Path) -> None:
    index = Digits().read(tmp_path)
    digits = load_digits()
    picture = cv2.imread(str(index.root / f"{digits.target[7]}" / "0007.png"), 0)
    assert np.allclose(picture / 255 * 16, digits.images[7], atol=0.05)


def test_files_are_written_once(tmp_path: Path) -> None:
    first = Digits().read(tmp_path)
    written = (first.root / "3" / "0003.png").stat().st_mtime_ns
    Digits().read(tmp_path)
    assert (first.root / "3" / "0003.png").stat().st_mtime_ns == written

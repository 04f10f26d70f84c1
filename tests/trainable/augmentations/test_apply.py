"""The random draws of an augmentation."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from trainable.augmentations.apply import augment
from trainable.augmentations.library import A
from trainable.augmentations.presets import Noise

ROOT = Path(__file__).parents[3]


def image():
    """A gray photo that is darker on the left."""
    return np.tile(np.linspace(100, 120, 16).astype(np.uint8)[None, :, None], (16, 1, 3))


def test_flip_and_brightness_are_independent():
    pipeline = A.Compose(
        [A.HorizontalFlip(p=0.5), A.RandomBrightnessContrast((0.1, 0.1), (0, 0), p=0.5)]
    )
    drawn = [augment(pipeline, image(), (5, n)).astype(int) for n in range(2000)]
    flipped = np.array([d[0, 0, 0] > d[0, -1, 0] for d in drawn])
    bright = np.array([d.mean() > 115 for d in drawn])
    counts = [np.mean(flipped & bright), np.mean(flipped & ~bright), np.mean(~flipped & bright)]
    assert counts == pytest.approx([0.25] * 3, abs=0.04)


def test_two_of_the_same_transform_draw_independently():
    pipeline = A.Compose([A.HorizontalFlip(p=0.5), A.HorizontalFlip(p=0.5)])
    drawn = [augment(pipeline, image(), (5, n)) for n in range(1000)]
    flipped = np.array([d[0, 0, 0] > d[0, -1, 0] for d in drawn])
    assert flipped.mean() == pytest.approx(0.5, abs=0.06)


def test_neighbouring_keys_draw_independently():
    pipeline = A.Compose([A.HorizontalFlip(p=0.5)])
    flipped = np.array(
        [
            [augment(pipeline, image(), (1, epoch, sample))[0, 0, 0] > 110 for sample in range(99)]
            for epoch in range(12)
        ]
    ).astype(float)
    by_epoch = np.corrcoef(flipped)[np.triu_indices(12, 1)]
    by_sample = np.corrcoef(flipped[:, :-1].ravel(), flipped[:, 1:].ravel())[0, 1]
    assert abs(by_epoch.mean()) < 0.05
    assert abs(by_sample) < 0.1


def test_another_process_draws_the_same_and_does_not_look_for_a_newer_library():
    program = (
        "import numpy as np, sys, urllib.request\n"
        "def refuse(*_, **__): sys.exit('went to the network')\n"
        "urllib.request.OpenerDirector.open = refuse\n"
        "from trainable.augmentations.apply import augment\n"
        "from trainable.augmentations.presets import Noise\n"
        "image = np.arange(16 * 16 * 3, dtype=np.uint16).reshape(16, 16, 3).astype(np.uint8)\n"
        "print(augment(Noise().build((16, 16)), image, (3, 1, 4)).tobytes().hex())\n"
    )
    command = [sys.executable, "-c", program]
    result = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    pixels = np.arange(16 * 16 * 3, dtype=np.uint16).reshape(16, 16, 3).astype(np.uint8)
    here = augment(Noise().build((16, 16)), pixels, (3, 1, 4))
    assert result.stdout.strip() == here.tobytes().hex()
    assert result.stderr == ""

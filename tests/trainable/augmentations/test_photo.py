"""The presets' own changes against albumentations' transforms, and values by hand."""

import cv2
import numpy as np
import pytest

from trainable.augmentations.library import A
from trainable.augmentations.photo import brighten, grayed, saturate, stretch, turn_hue, warp

STAYS = {"brightness": (1, 1), "contrast": (1, 1), "saturation": (1, 1), "hue": (0, 0)}


@pytest.fixture(scope="module")
def photo():
    """Return soft patches of all colours."""
    noise = np.random.default_rng(0).integers(256, size=(32, 24, 3), dtype=np.uint8)
    return cv2.normalize(cv2.GaussianBlur(noise, (7, 7), 2), None, 0, 255, cv2.NORM_MINMAX)


@pytest.mark.parametrize(("rotation", "shear"), [(7, 0), (0, 5), (-9, 4), (3, -5)])
def test_turns_and_shears_are_those_of_affine(photo, rotation, shear):
    affine = A.Affine(rotate=(rotation,) * 2, shear={"x": (shear,) * 2, "y": (0, 0)}, p=1)
    ours = warp(photo, rotation=rotation, shear=shear, flip=False)
    np.testing.assert_array_equal(ours, A.Compose([affine])(image=photo)["image"])


def test_a_flip_comes_after_turn_and_shear(photo):
    straight = warp(photo, rotation=7, shear=4, flip=False).astype(int)
    flipped = warp(photo, rotation=7, shear=4, flip=True).astype(int)
    # Interpolated from the other side, the last bit may be another one.
    assert np.abs(flipped - straight[:, ::-1]).max() <= 2
    np.testing.assert_array_equal(warp(photo, rotation=0, shear=0, flip=True), photo[:, ::-1])


@pytest.mark.parametrize(
    ("name", "change", "value"),
    [
        ("brightness", brighten, 1.1),
        ("contrast", stretch, 0.7),
        ("contrast", stretch, 1.3),
        ("saturation", saturate, 0.8),
        ("saturation", saturate, 1.2),
        ("hue", turn_hue, 0.07),
        ("hue", turn_hue, -0.1),
    ],
)
def test_colours_change_as_by_color_jitter(photo, name, change, value):
    jitter = A.ColorJitter(**STAYS | {name: (value, value)}, p=1)
    theirs = A.Compose([jitter])(image=photo)["image"].astype(int)
    ours = change(photo, value).astype(int)
    assert np.abs(ours - theirs).max() <= 1  # albumentations cuts fractions off
    assert np.abs(ours - photo).max() > 3


def test_gray_is_that_of_to_gray(photo):
    np.testing.assert_array_equal(grayed(photo), A.ToGray(p=1)(image=photo)["image"])


def test_levels_by_hand():
    image = np.array([[[10, 10, 10], [30, 30, 30]]], np.uint8)
    assert brighten(image, 1.5)[0, :, 0].tolist() == [15, 45]
    assert stretch(image, 0.5)[0, :, 0].tolist() == [15, 25]
    assert brighten(np.full((1, 1, 3), 200, np.uint8), 1.5).max() == 255
    red = np.array([[[200, 0, 0]]], np.uint8)
    assert turn_hue(red, 1 / 3)[0, 0].tolist() == [0, 200, 0]

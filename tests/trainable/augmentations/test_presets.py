"""What each preset does to images, measured on the images."""

import cv2
import numpy as np
import pytest

from trainable.augmentations.apply import augment
from trainable.augmentations.presets import (
    AlwaysGray,
    BaseAugmentation,
    Contrast,
    NoHue,
    NoHueContrast,
    Noise,
    RandomGray,
)

SIZE = (48, 48)
COLOUR = (150, 120, 90)
HUE = 30
CENTRE = (slice(18, 30), slice(18, 30))


def flat(colour=COLOUR):
    return np.full((*SIZE, 3), colour, np.uint8)


def centres(preset, image, number=400):
    """The middle of an image, where neither rotation nor shear reaches, drawn many times."""
    pipeline = preset.build(SIZE)
    drawn = [augment(pipeline, image, (1, n))[CENTRE] for n in range(number)]
    return np.stack(drawn).astype(float)


def hues(preset):
    """By how many degrees the hue has turned."""
    pixels = centres(preset, flat())[:, 0, 0].astype(np.uint8)
    degrees = 2.0 * cv2.cvtColor(pixels[:, None], cv2.COLOR_RGB2HSV)[:, 0, 0]
    return (degrees - HUE + 180) % 360 - 180


def contrasts(preset):
    """How far apart light and dark gray are, by their mean, by the same of the original."""
    image = flat((110, 110, 110))
    image[:, ::2] = 140
    pixels = centres(preset, image)
    apart = pixels.max(axis=(1, 2, 3)) - pixels.min(axis=(1, 2, 3))
    return apart / pixels.mean(axis=(1, 2, 3)) * 125 / 30


def test_base_shifts_the_hue_by_up_to_a_tenth_of_the_circle():
    drawn = hues(BaseAugmentation())
    assert drawn.min() == pytest.approx(-36, abs=4)
    assert drawn.max() == pytest.approx(36, abs=4)


@pytest.mark.parametrize("preset", [NoHue(), NoHueContrast()], ids=lambda p: p.name)
def test_without_hue_the_hue_stays(preset):
    assert hues(preset) == pytest.approx(0, abs=3)


@pytest.mark.parametrize("preset", [Contrast(), NoHueContrast()], ids=lambda p: p.name)
def test_contrast_is_jittered_three_times_as_much(preset):
    assert contrasts(BaseAugmentation()).std() == pytest.approx(0.1 / 3**0.5, abs=0.02)
    assert contrasts(preset).std() == pytest.approx(0.3 / 3**0.5, abs=0.02)


def test_brightness_varies_by_a_tenth():
    levels = centres(NoHue(), flat((100, 100, 100))).mean(axis=(1, 2, 3))
    assert levels.min() == pytest.approx(90, abs=2)
    assert levels.max() == pytest.approx(110, abs=2)


def is_gray(pixels):
    return (np.ptp(pixels, axis=-1) == 0).all(axis=(1, 2))


def test_always_gray_leaves_no_colour_and_random_gray_nine_of_ten():
    assert is_gray(centres(AlwaysGray(), flat())).all()
    assert is_gray(centres(RandomGray(), flat())).mean() == pytest.approx(0.1, abs=0.05)
    assert not is_gray(centres(BaseAugmentation(), flat())).any()


def test_noise_comes_to_every_other_image_in_random_strength():
    strengths = centres(Noise(), flat()).std(axis=(1, 2)).mean(axis=-1)
    noisy = strengths > 1
    assert noisy.mean() == pytest.approx(0.5, abs=0.08)
    assert strengths[noisy].std() > 4
    assert strengths.max() < 0.11 * 255


def test_images_are_turned_sheared_and_every_other_is_flipped():
    image = np.zeros((*SIZE, 3), np.uint8)
    cv2.line(image, (24, 4), (24, 44), (255, 255, 255), 1)
    image[20:28, 40:44, 0] = 255  # a mark on the right
    drawn = [augment(BaseAugmentation().build(SIZE), image, (3, n)) for n in range(300)]
    flipped = [d[16:32, :10, 0].max() > d[16:32, -10:, 0].max() for d in drawn]
    assert np.mean(flipped) == pytest.approx(0.5, abs=0.08)
    angles = np.array([angle_of_line(d[..., 1]) for d in drawn])
    # Rotation by up to 10 degrees and shear by up to 5 lean a vertical line by up to 15.
    assert 9 < np.abs(angles).max() < 16
    assert angles.mean() == pytest.approx(0, abs=1.5)


def angle_of_line(gray):
    rows, columns = np.nonzero(gray > 60)
    return np.degrees(np.arctan(np.polyfit(rows, columns, 1)[0]))

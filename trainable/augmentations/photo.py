"""What the presets do to a photo: turn, shear and flip it, and jitter its colours.

The same as albumentations' Affine, HorizontalFlip, ColorJitter and ToGray one after the other, in
half the time: position and flip are one warp, and what a draw costs besides its pixels is little,
which counts for images of this size.
"""

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

ROTATION_DEGREES = 10
SHEAR_DEGREES = 5
BRIGHTNESS = 0.1
ORDERS = tuple(permutations(range(4)))
AS_THEY_ARE = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
HALF_CIRCLE = 180  # OpenCV's hues, in steps of two degrees

Pixels = NDArray[np.uint8]


@dataclass
class PhotoAugmentation:
    """Turns, shears, flips and colours a photo at random.

    Args:
        contrast: Largest change of the contrast, as a share.
        saturation: The same of the saturation.
        hue: Largest turn of the hue, as a share of the circle.
        gray: Probability that the photo loses its colours at the end.
        then: What albumentations does after it.
    """

    contrast: float = 0.1
    saturation: float = 0.1
    hue: float = 0.1
    gray: float = 0.0
    then: Any = None

    def set_random_state(
        self, generator: np.random.Generator, python_random: random.Random
    ) -> None:
        """Take the source of all randomness of the next photo."""
        self._generator = generator
        if self.then is not None:
            self.then.set_random_state(generator, python_random)

    def __call__(self, *, image: Pixels) -> Mapping[str, Pixels]:
        """Return a changed copy of an image, uint8 [H, W, 3], RGB, under ``image``."""
        turn, lean, flip, brightness, contrast, saturation, hue, order, gray = (
            self._generator.random(9).tolist()
        )
        image = warp(
            image,
            rotation=_between(turn, ROTATION_DEGREES),
            shear=_between(lean, SHEAR_DEGREES),
            flip=flip < 0.5,
        )
        changes = (
            lambda pixels: brighten(pixels, 1 + _between(brightness, BRIGHTNESS)),
            lambda pixels: stretch(pixels, 1 + _between(contrast, self.contrast)),
            lambda pixels: saturate(pixels, 1 + _between(saturation, self.saturation)),
            lambda pixels: turn_hue(pixels, _between(hue, self.hue)),
        )
        for number in ORDERS[int(order * len(ORDERS))]:
            image = changes[number](image)
        if gray < self.gray:
            image = grayed(image)
        return {"image": image} if self.then is None else self.then(image=image)


def _between(share: float, limit: float) -> float:
    """Return a number from -limit to limit for one from 0 to 1."""
    return (2 * share - 1) * limit


def warp(image: Pixels, *, rotation: float, shear: float, flip: bool) -> Pixels:
    """Return an image turned about its centre, then sheared sideways, then flipped sideways.

    Args:
        image: uint8 [H, W, 3].
        rotation: Degrees, anticlockwise.
        shear: Degrees that an upright line leans.
        flip: Whether left and right are swapped.
    """
    height, width = image.shape[:2]
    cosine, sine = math.cos(math.radians(rotation)), math.sin(math.radians(rotation))
    lean, side = -math.tan(math.radians(shear)), -1.0 if flip else 1.0
    a, b = side * (cosine - lean * sine), side * (sine + lean * cosine)
    x, y = (width - 1) / 2, (height - 1) / 2
    matrix = np.array(
        [[a, b, x - a * x - b * y], [-sine, cosine, y + sine * x - cosine * y]], np.float64
    )
    return cv2.warpAffine(image, matrix, (width, height))  # type: ignore[return-value]


def brighten(image: Pixels, factor: float) -> Pixels:
    """Return an image of so many times the brightness."""
    return cv2.addWeighted(image, factor, image, 0, 0)  # type: ignore[return-value]


def stretch(image: Pixels, factor: float) -> Pixels:
    """Return an image whose levels are so many times as far from its mean gray."""
    mean = cv2.mean(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))[0]
    return cv2.addWeighted(image, factor, image, 0, mean * (1 - factor))  # type: ignore[return-value]


def saturate(image: Pixels, factor: float) -> Pixels:
    """Return an image whose colours are so many times as far from gray."""
    if factor == 1:
        return image
    return cv2.addWeighted(image, factor, grayed(image), 1 - factor, 0)  # type: ignore[return-value]


def turn_hue(image: Pixels, share: float) -> Pixels:
    """Return an image whose hues are turned by a share of the circle."""
    if share == 0:
        return image
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
    table = AS_THEY_ARE.copy()
    table[0, :, 0] = np.mod(np.arange(256) + HALF_CIRCLE * share, HALF_CIRCLE)
    return cv2.cvtColor(cv2.LUT(hsv, table), cv2.COLOR_HSV2RGB)  # type: ignore[return-value]


def grayed(image: Pixels) -> Pixels:
    """Return an image without colours, still of three channels."""
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return cv2.cvtColor(gray, cv2.COLOR_GRAY2RGB)  # type: ignore[return-value]

"""The presets: rotation, shear, colour jitter and flip, with more or less of each."""

from typing import Literal

from trainable.augmentations.base import AugmentationPart
from trainable.augmentations.library import A

ROTATION_DEGREES = 10
SHEAR_DEGREES = 5
# Standard deviations of the noise, as shares of the grey range.
NOISE_RANGE = (0.01, 0.1)


def geometry() -> list[A.BasicTransform]:
    """Return a small rotation and horizontal shear, and a flip of every other image."""
    rotate = (-ROTATION_DEGREES, ROTATION_DEGREES)
    shear = {"x": (-SHEAR_DEGREES, SHEAR_DEGREES), "y": (0, 0)}
    return [A.Affine(rotate=rotate, shear=shear, p=1.0), A.HorizontalFlip(p=0.5)]


def colour_jitter(
    *, contrast: float = 0.1, saturation: float = 0.1, hue: float = 0.1
) -> A.BasicTransform:
    """Return a jitter of brightness by 0.1 and of the rest by the given amounts."""
    return A.ColorJitter(
        brightness=(0.9, 1.1),
        contrast=(1.0 - contrast, 1.0 + contrast),
        saturation=(1.0 - saturation, 1.0 + saturation),
        hue=(-hue, hue),
        p=1.0,
    )


class NoAugmentation(AugmentationPart):
    """None: images as they are."""

    name: Literal["none"] = "none"

    def build(self, size: tuple[int, int]) -> None:
        """Return nothing, as there is nothing to do."""
        del size


class BaseAugmentation(AugmentationPart):
    """Base: rotation, shear, flip, jitter of brightness, contrast, saturation and hue."""

    name: Literal["base"] = "base"

    def build(self, size: tuple[int, int]) -> A.Compose:
        """Return the pipeline."""
        del size
        return A.Compose([*geometry(), colour_jitter()])


class NoHue(AugmentationPart):
    """No hue: base without jitter of hue."""

    name: Literal["no_hue"] = "no_hue"

    def build(self, size: tuple[int, int]) -> A.Compose:
        """Return the pipeline."""
        del size
        return A.Compose([*geometry(), colour_jitter(hue=0.0)])


class Contrast(AugmentationPart):
    """Contrast: base with three times the jitter of contrast."""

    name: Literal["contrast"] = "contrast"

    def build(self, size: tuple[int, int]) -> A.Compose:
        """Return the pipeline."""
        del size
        return A.Compose([*geometry(), colour_jitter(contrast=0.3)])


class NoHueContrast(AugmentationPart):
    """No hue, contrast: without jitter of hue and with three times that of contrast."""

    name: Literal["no_hue_contrast"] = "no_hue_contrast"

    def build(self, size: tuple[int, int]) -> A.Compose:
        """Return the pipeline."""
        del size
        return A.Compose([*geometry(), colour_jitter(contrast=0.3, hue=0.0)])


class RandomGray(AugmentationPart):
    """Random gray: base, and one image of ten without colour."""

    name: Literal["random_gray"] = "random_gray"

    def build(self, size: tuple[int, int]) -> A.Compose:
        """Return the pipeline."""
        del size
        return A.Compose([*geometry(), colour_jitter(), A.ToGray(p=0.1)])


class AlwaysGray(AugmentationPart):
    """Always gray: base, and every image without colour."""

    name: Literal["always_gray"] = "always_gray"

    def build(self, size: tuple[int, int]) -> A.Compose:
        """Return the pipeline; saturation and hue are left out, as they would not show."""
        del size
        gray = A.ToGray(p=1.0)
        return A.Compose([*geometry(), gray, colour_jitter(saturation=0.0, hue=0.0)])


class Noise(AugmentationPart):
    """Noise: base, and Gaussian noise of random strength on every other image."""

    name: Literal["noise"] = "noise"

    def build(self, size: tuple[int, int]) -> A.Compose:
        """Return the pipeline."""
        del size
        noise = A.GaussNoise(std_range=NOISE_RANGE, p=0.5)
        return A.Compose([*geometry(), colour_jitter(), noise])

"""The presets: rotation, shear, colour jitter and flip, with more or less of each."""

from typing import Literal

from trainable.augmentations.base import AugmentationPart
from trainable.augmentations.library import A
from trainable.augmentations.photo import PhotoAugmentation

# Standard deviations of the noise, as shares of the grey range.
NOISE_RANGE = (0.01, 0.1)


class NoAugmentation(AugmentationPart):
    """None: images as they are."""

    name: Literal["none"] = "none"

    def build(self, size: tuple[int, int]) -> None:
        """Return nothing, as there is nothing to do."""
        del size


class BaseAugmentation(AugmentationPart):
    """Base: rotation, shear, flip, jitter of brightness, contrast, saturation and hue."""

    name: Literal["base"] = "base"

    def build(self, size: tuple[int, int]) -> PhotoAugmentation:
        """Return the pipeline."""
        del size
        return PhotoAugmentation()


class NoHue(AugmentationPart):
    """No hue: base without jitter of hue."""

    name: Literal["no_hue"] = "no_hue"

    def build(self, size: tuple[int, int]) -> PhotoAugmentation:
        """Return the pipeline."""
        del size
        return PhotoAugmentation(hue=0.0)


class Contrast(AugmentationPart):
    """Contrast: base with three times the jitter of contrast."""

    name: Literal["contrast"] = "contrast"

    def build(self, size: tuple[int, int]) -> PhotoAugmentation:
        """Return the pipeline."""
        del size
        return PhotoAugmentation(contrast=0.3)


class NoHueContrast(AugmentationPart):
    """No hue, contrast: without jitter of hue and with three times that of contrast."""

    name: Literal["no_hue_contrast"] = "no_hue_contrast"

    def build(self, size: tuple[int, int]) -> PhotoAugmentation:
        """Return the pipeline."""
        del size
        return PhotoAugmentation(contrast=0.3, hue=0.0)


class RandomGray(AugmentationPart):
    """Random gray: base, and one image of ten without colour."""

    name: Literal["random_gray"] = "random_gray"

    def build(self, size: tuple[int, int]) -> PhotoAugmentation:
        """Return the pipeline."""
        del size
        return PhotoAugmentation(gray=0.1)


class AlwaysGray(AugmentationPart):
    """Always gray: base, and every image without colour."""

    name: Literal["always_gray"] = "always_gray"

    def build(self, size: tuple[int, int]) -> PhotoAugmentation:
        """Return the pipeline; saturation and hue are left out, as they would not show."""
        del size
        return PhotoAugmentation(saturation=0.0, hue=0.0, gray=1.0)


class Noise(AugmentationPart):
    """Noise: base, and Gaussian noise of random strength on every other image."""

    name: Literal["noise"] = "noise"

    def build(self, size: tuple[int, int]) -> PhotoAugmentation:
        """Return the pipeline."""
        del size
        noise = A.Compose([A.GaussNoise(std_range=NOISE_RANGE, p=0.5)])
        return PhotoAugmentation(then=noise)

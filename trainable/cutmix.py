"""CutMix: a box of another image is pasted into each image, the targets mixed by its area."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Annotated, Literal, Protocol

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from trainable.data.on_device import moved
from trainable.part import Part


class Mixer(Protocol):
    """Mixes the images of a training batch."""

    def __call__(
        self, images_NHWC: Tensor, targets_NC: Tensor, rng: np.random.Generator
    ) -> Tensor:
        """Mix the images in place and return the targets of the mixed images.

        Args:
            images_NHWC: Pixels, uint8 [num_images, height, width, 3], changed in place.
            targets_NC: Soft targets, float [num_images, num_classes], left as they are.
            rng: Source of all randomness.

        Returns:
            Soft targets of the same shape, type and device, rows sum to 1.
        """


class MixingPart(Part):
    """A way of mixing images, of the search."""

    @abstractmethod
    def build(self) -> Mixer:
        """Return the function that mixes a batch."""


class NoMixing(MixingPart):
    """Every image by itself."""

    name: Literal["none"] = "none"

    def build(self) -> Mixer:
        """Return ``leave``."""
        return leave


class CutMix(MixingPart):
    """CutMix: boxes of other images pasted in, targets mixed by the boxes' share of pixels."""

    name: Literal["cutmix"] = "cutmix"
    probability: float = Field(0.5, gt=0, le=1)
    beta: float = Field(1.0, gt=0, le=10)

    def build(self) -> Mixer:
        """Return a mixer with this probability by batch and this beta."""
        return CutMixer(self.probability, self.beta)


Mixing = Annotated[NoMixing | CutMix, Field(discriminator="name")]


def leave(images_NHWC: Tensor, targets_NC: Tensor, rng: np.random.Generator) -> Tensor:  # noqa: ARG001
    """Return the targets; nothing is mixed."""
    return targets_NC


@dataclass(frozen=True)
class Box:
    """Part of an image, in pixels; the ends are left out.

    Example:
        >>> Box(top=0, bottom=2, left=1, right=4).num_pixels
        6
    """

    top: int
    bottom: int
    left: int
    right: int

    @property
    def num_pixels(self) -> int:
        """Return the area."""
        return (self.bottom - self.top) * (self.right - self.left)


@dataclass(frozen=True)
class CutMixer:
    """Mixes a batch with some probability.

    Args:
        probability: Probability that a batch is mixed.
        beta: The share of pixels to keep is drawn from Beta(beta, beta).

    References:
        Yun et al., CutMix: Regularization Strategy to Train Strong Classifiers with
        Localizable Features, ICCV 2019.
    """

    probability: float
    beta: float

    def __call__(
        self, images_NHWC: Tensor, targets_NC: Tensor, rng: np.random.Generator
    ) -> Tensor:
        """Paste one box of a permuted batch, or leave the batch as it is; see ``Mixer``."""
        if rng.random() >= self.probability:
            return targets_NC
        num_images, height, width, _ = images_NHWC.shape
        box = draw_box(height, width, kept=rng.beta(self.beta, self.beta), rng=rng)
        partners_N = moved(torch.from_numpy(rng.permutation(num_images)), images_NHWC.device)
        paste(images_NHWC, box, partners_N)
        share = box.num_pixels / (height * width)
        return targets_NC * (1 - share) + targets_NC[partners_N] * share


def draw_box(height: int, width: int, *, kept: float, rng: np.random.Generator) -> Box:
    """Draw a box of the image's proportions around a random pixel, cut off at the border.

    Args:
        height: Height of the image in pixels.
        width: Width of the image in pixels.
        kept: Share of the image that stays outside of the box, before cutting off.
        rng: Source of randomness.
    """
    scale = (1 - kept) ** 0.5
    top, bottom = _draw_side(height, round(height * scale), rng)
    left, right = _draw_side(width, round(width * scale), rng)
    return Box(top=top, bottom=bottom, left=left, right=right)


def _draw_side(size: int, length: int, rng: np.random.Generator) -> tuple[int, int]:
    start = int(rng.integers(size)) - length // 2
    return max(start, 0), min(start + length, size)


def paste(images_NHWC: Tensor, box: Box, partners_N: Tensor) -> None:
    """Copy a box of each image's partner into the image, in place.

    Args:
        images_NHWC: Pixels, [num_images, height, width, channels].
        box: Where to copy from and to.
        partners_N: Image to copy from, int64 [num_images].
    """
    window = images_NHWC[:, box.top : box.bottom, box.left : box.right]
    # Indexing by a tensor copies the box of all images before the first one is written.
    window.copy_(window[partners_N])

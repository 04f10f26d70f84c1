"""Pictures made of filled outlines, which are placed on a rounded head and seen in a pose."""

from dataclasses import dataclass
from functools import cached_property
from math import cos, sin

import cv2
import numpy as np

from trainable.data.faces.colors import Color

HEIGHT, WIDTH = 256, 192
NEUTRAL = 160
FIXED_POINT_BITS = 4
HEAD_RADII = (46.0, 72.0)
HEAD_DEPTH = 42.0


@dataclass(frozen=True)
class Pose:
    """How a head or body stands in the picture.

    Args:
        center: Where its origin is, (x, y) in pixels.
        scale: Pixels a unit; a face is about 84 units wide and 118 high.
        roll: Tilt to the side, in radians.
        yaw: Turn to the side, in radians.
        pitch: Nod, in radians.
    """

    center: tuple[float, float]
    scale: float = 1.0
    roll: float = 0.0
    yaw: float = 0.0
    pitch: float = 0.0

    @cached_property
    def projection(self) -> np.ndarray:
        """Float64 [4, 2]: (x, y, depth, 1) @ projection is a place in the picture, fixed point."""
        turn_x, turn_y = (cos(self.yaw), 0.0), (0.0, cos(self.pitch))
        turn = np.array([turn_x, turn_y, (sin(self.yaw), sin(self.pitch))])
        c, s = self.scale * cos(self.roll), self.scale * sin(self.roll)
        rolled = turn @ np.array([(c, s), (-s, c)])
        return np.asarray(np.vstack([rolled, self.center]) * 2**FIXED_POINT_BITS)


class Picture:
    """A picture in the making: colours, and a map of the light on them.

    The map has half the size. It is blurred and multiplied onto the colours at the end, which
    makes shadows, folds and blush soft at little cost.

    Args:
        colors: uint8 [HEIGHT, WIDTH, 3], red green blue.
        light: uint8 [HEIGHT / 2, WIDTH / 2, 3], NEUTRAL for a factor of 1.
    """

    def __init__(self) -> None:
        self.colors = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        self.light = np.full((HEIGHT // 2, WIDTH // 2, 3), NEUTRAL, np.uint8)


class Sketch:
    """Outlines to be filled one above the other, independent of the pose they are seen in.

    Args:
        rounded: Whether the outlines lie on a rounded head, so that what is in the middle of the
            face moves further when the head turns than what is at its edge.
    """

    def __init__(self, *, rounded: bool = True) -> None:
        self._rounded = rounded
        self._outlines: list[np.ndarray] = []
        self._lifts: list[float] = []
        self._fills: list[tuple[Color | None, Color | None]] = []

    def paint(self, outline: np.ndarray, color: Color, lift: float = 0.0) -> None:
        """Fill an outline with a colour and leave the light on it as it is.

        Args:
            outline: Closed polygon, float64 [num_points, 2].
            color: Its colour.
            lift: How far in front of the head's surface it lies.
        """
        self._add(outline, lift, (color, None))

    def shade(self, outline: np.ndarray, factor: float | Color, lift: float = 0.0) -> None:
        """Set the light within an outline, below 1 for a shadow, above 1 (to 1.59) for a shine.

        Args:
            outline: Closed polygon, float64 [num_points, 2].
            factor: Factor of all channels or one for each.
            lift: How far in front of the head's surface it lies.
        """
        red, green, blue = (factor,) * 3 if isinstance(factor, float) else factor
        self._add(outline, lift, (None, (red * NEUTRAL, green * NEUTRAL, blue * NEUTRAL)))

    def cover(self, outline: np.ndarray, color: Color, lift: float = 0.0) -> None:
        """Fill an outline with an object in front: its colour hides what is behind, light too."""
        self._add(outline, lift, (color, (NEUTRAL,) * 3))

    def _add(
        self, outline: np.ndarray, lift: float, fill: tuple[Color | None, Color | None]
    ) -> None:
        """Keep an outline with what fills the colours and the light within it."""
        self._outlines.append(outline)
        self._lifts.append(lift)
        self._fills.append(fill)

    @cached_property
    def _points(self) -> np.ndarray:
        """All outlines' points, float64 [num_points, 4] of (x, y, depth, 1)."""
        flat = np.concatenate(self._outlines)
        depth = np.repeat(self._lifts, [len(outline) for outline in self._outlines])
        if self._rounded:
            x, y = flat[:, 0] / HEAD_RADII[0], flat[:, 1] / HEAD_RADII[1]
            depth = depth + HEAD_DEPTH * np.sqrt(np.maximum(0, 1 - x * x - y * y))
        return np.column_stack([flat, depth, np.ones(len(flat))])

    def draw(self, picture: Picture, pose: Pose) -> None:
        """Fill all outlines on a picture, as seen in a pose."""
        if not self._outlines:
            return
        placed = np.rint(self._points @ pose.projection).astype(np.int32)
        start = 0
        for outline, (color, light) in zip(self._outlines, self._fills, strict=True):
            polygon = [placed[start : start + len(outline)]]
            start += len(outline)
            if color is not None:
                cv2.fillPoly(picture.colors, polygon, color, cv2.LINE_AA, FIXED_POINT_BITS)
            if light is not None:
                cv2.fillPoly(picture.light, polygon, light, cv2.LINE_8, FIXED_POINT_BITS + 1)

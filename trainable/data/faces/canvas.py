"""A picture in the making: colours, soft light above them, and the pose that shapes are seen in."""

from dataclasses import dataclass

import cv2
import numpy as np

from trainable.data.faces.colors import Color

HEIGHT, WIDTH = 256, 192
NEUTRAL = 160
FIXED_POINT_BITS = 4
FACE_DEPTH, FACE_HALF_WIDTH, FACE_HALF_HEIGHT = 42.0, 56.0, 84.0


@dataclass(frozen=True)
class Pose:
    """How a head or body stands in the picture.

    Args:
        center: Where its origin is, (x, y) in pixels.
        scale: Pixels a unit; a face is about 88 units wide and 118 high.
        roll: Tilt to the side, in radians.
        yaw: Turn to the side, in radians.
        pitch: Nod, in radians.
    """

    center: tuple[float, float]
    scale: float = 1.0
    roll: float = 0.0
    yaw: float = 0.0
    pitch: float = 0.0

    def projection(self) -> tuple[np.ndarray, np.ndarray]:
        """Return (matrix [3, 2], offset [2]): (x, y, depth) @ matrix + offset in fixed point."""
        turn = np.array(
            [
                [np.cos(self.yaw), 0],
                [0, np.cos(self.pitch)],
                [np.sin(self.yaw), np.sin(self.pitch)],
            ]
        )
        cos, sin = np.cos(self.roll), np.sin(self.roll)
        unit = 2**FIXED_POINT_BITS
        matrix = turn @ np.array([[cos, sin], [-sin, cos]]) * (self.scale * unit)
        return matrix, np.array(self.center) * unit


def on_face(points: np.ndarray) -> np.ndarray:
    """Return the depth of points on the rounded face, float64 [num_points]."""
    x = points[:, 0] / FACE_HALF_WIDTH
    y = points[:, 1] / FACE_HALF_HEIGHT
    return FACE_DEPTH * np.sqrt(np.maximum(0, 1 - x * x - y * y))


class Canvas:
    """Shapes are filled on it back to front, in the coordinates of a head or of a body.

    Besides the picture it keeps a map of light at half the size. The map is blurred and multiplied
    onto the picture at the end, which makes shadows, folds and blush soft at little cost.

    Args:
        image: The picture, uint8 [HEIGHT, WIDTH, 3], red green blue.
        light: Factor of the light, uint8 [HEIGHT / 2, WIDTH / 2, 3], 160 for a factor of 1.
        pose: The pose that shapes are seen in.
    """

    def __init__(self, image: np.ndarray, light: np.ndarray, pose: Pose) -> None:
        self.image = image
        self.light = light
        self._matrix, self._offset = pose.projection()

    @classmethod
    def blank(cls, pose: Pose) -> "Canvas":
        """Return an empty canvas."""
        image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        return cls(image, np.full((HEIGHT // 2, WIDTH // 2, 3), NEUTRAL, np.uint8), pose)

    def posed(self, pose: Pose) -> "Canvas":
        """Return the same picture, to be drawn on in another pose."""
        return Canvas(self.image, self.light, pose)

    def _place(self, outline: np.ndarray, depth: float | np.ndarray | None) -> np.ndarray:
        """Return an outline in the picture's fixed-point coordinates, int32 [num_points, 2]."""
        if depth is None:
            depth = on_face(outline)
        flat = outline @ self._matrix[:2] + self._offset
        flat += np.multiply.outer(depth, self._matrix[2])
        return np.rint(flat).astype(np.int32)

    def paint(
        self, outline: np.ndarray, color: Color, depth: float | np.ndarray | None = None
    ) -> None:
        """Fill an outline with a colour and leave the light on it as it is.

        Args:
            outline: Closed polygon, float64 [num_points, 2].
            color: Its colour.
            depth: How far in front of the plane through the ears it lies; None puts it on the
                rounded face.
        """
        placed = self._place(outline, depth)
        cv2.fillPoly(self.image, [placed], color, cv2.LINE_AA, FIXED_POINT_BITS)

    def shade(
        self,
        outline: np.ndarray,
        factor: float | Color,
        depth: float | np.ndarray | None = None,
    ) -> None:
        """Set the light within an outline, below 1 for a shadow, above 1 (up to 1.59) for a shine.

        Args:
            outline: Closed polygon, float64 [num_points, 2].
            factor: Factor of all channels or one for each.
            depth: As for ``paint``.
        """
        red, green, blue = (factor,) * 3 if isinstance(factor, float) else factor
        level = (red * NEUTRAL, green * NEUTRAL, blue * NEUTRAL)
        placed = self._place(outline, depth)
        cv2.fillPoly(self.light, [placed], level, cv2.LINE_8, FIXED_POINT_BITS + 1)

    def cover(
        self, outline: np.ndarray, color: Color, depth: float | np.ndarray | None = None
    ) -> None:
        """Fill an outline with an object in front: its colour hides what is behind, light too."""
        placed = self._place(outline, depth)
        cv2.fillPoly(self.image, [placed], color, cv2.LINE_AA, FIXED_POINT_BITS)
        level = (NEUTRAL,) * 3
        cv2.fillPoly(self.light, [placed], level, cv2.LINE_8, FIXED_POINT_BITS + 1)

"""Glasses."""

import numpy as np

from trainable.data.faces.canvas import Canvas, on_face
from trainable.data.faces.colors import Color
from trainable.data.faces.curves import line, loop, ribbon
from trainable.data.faces.features import EYE_LEVEL
from trainable.data.faces.person import Person

FRAMES: dict[str, tuple[tuple[float, float], ...]] = {
    "round": ((0, -11), (8, -8.5), (11.5, 0), (8, 9), (0, 12), (-8, 9), (-11.5, 0), (-8, -8.5)),
    "square": ((0, -9), (11, -9), (13, -6), (12, 6), (9, 9), (-9, 9), (-12, 6), (-12, -8)),
    "cat": ((0, -8), (10, -12), (15, -11), (12, 2), (7, 9), (-5, 9), (-11, 3), (-11, -7)),
    "thin": ((0, -8), (10, -8), (13, -3), (11, 5), (5, 8), (-6, 8), (-11, 4), (-12, -5)),
}
IN_FRONT = 5.0


def paint_glasses(canvas: Canvas, person: Person) -> None:
    """Paint the person's glasses, where there are any."""
    outfit, face = person.outfit, person.face
    if outfit.glasses == "none":
        return
    width = 1.2 if outfit.glasses == "thin" else 2.6
    shape = np.array(FRAMES[outfit.glasses])
    for side in (-1, 1):
        rim = shape * (side, 1) + (side * (face.eye_distance + 0.5), EYE_LEVEL + 1.5)
        _paint_rim(canvas, rim, width, outfit.glasses_color)
        inner, outer = side * (face.half_width - 8), side * (face.half_width + 3)
        _paint(canvas, ribbon([(inner, EYE_LEVEL - 2), (outer, EYE_LEVEL - 3)], (width, width)), outfit.glasses_color)
    gap = face.eye_distance - 11
    bridge = [(-gap, EYE_LEVEL), (0, EYE_LEVEL - 2.5), (gap, EYE_LEVEL)]
    _paint(canvas, ribbon(bridge, (width, width, width)), outfit.glasses_color)


def _paint(canvas: Canvas, outline: np.ndarray, color: Color) -> None:
    """Paint a piece of the frame a little in front of the face."""
    canvas.paint(outline, color, on_face(outline) + IN_FRONT)


def _paint_rim(canvas: Canvas, rim: np.ndarray, width: float, color: Color) -> None:
    """Paint the rim around a glass and the light on the glass."""
    _paint(canvas, ribbon(np.concatenate([rim, rim[:1]]), (width,) * (len(rim) + 1)), color)
    canvas.shade(loop(rim), 1.06, on_face(loop(rim)) + IN_FRONT)
    glint = line(rim[[7, 6]] * 0.7 + rim[[2, 3]] * 0.3)
    _paint(canvas, ribbon(glint[[0, -1]], (0.6, 1.2)), (250, 252, 255))

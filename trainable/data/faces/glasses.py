"""Glasses."""

import numpy as np

from trainable.data.faces.curves import loop, ribbon
from trainable.data.faces.features import EYE_LEVEL
from trainable.data.faces.person import Person
from trainable.data.faces.sketch import Sketch

RIMS: dict[str, tuple[tuple[float, float], ...]] = {
    "round": ((0, -11), (8, -8.5), (11.5, 0), (8, 9), (0, 12), (-8, 9), (-11.5, 0), (-8, -8.5)),
    "square": ((0, -9), (11, -9), (13, -6), (12, 6), (9, 9), (-9, 9), (-12, 6), (-12, -8)),
    "cat": ((0, -8), (10, -12), (15, -11), (12, 2), (7, 9), (-5, 9), (-11, 3), (-11, -7)),
    "thin": ((0, -8), (10, -8), (13, -3), (11, 5), (5, 8), (-6, 8), (-11, 4), (-12, -5)),
}
IN_FRONT = 5.0


def add_glasses(sketch: Sketch, person: Person) -> None:
    """Add the person's glasses, where there are any."""
    outfit, face = person.outfit, person.face
    if outfit.glasses == "none":
        return
    color, width = outfit.glasses_color, 1.2 if outfit.glasses == "thin" else 2.6
    y, w, gap = EYE_LEVEL, face.half_width, face.eye_distance - 11
    for side in (-1, 1):
        _add_glass(sketch, person, side, width)
        temple = ribbon([(side * (w - 8), y - 2), (side * (w + 3), y - 3)], (width, width))
        sketch.paint(temple, color, IN_FRONT)
    bridge = ribbon([(-gap, y), (0, y - 2.5), (gap, y)], (width, width, width))
    sketch.paint(bridge, color, IN_FRONT)


def _add_glass(sketch: Sketch, person: Person, side: int, width: float) -> None:
    """Add a rim and the light on the glass within."""
    center = (side * (person.face.eye_distance + 0.5), EYE_LEVEL + 1.5)
    rim = np.array(RIMS[person.outfit.glasses]) * (side, 1) + center
    closed = np.concatenate([rim, rim[:1]])
    sketch.paint(ribbon(closed, (width,) * len(closed)), person.outfit.glasses_color, IN_FRONT)
    sketch.shade(loop(rim), 1.06, IN_FRONT)
    glint = 0.82 * rim[[6, 7, 0]] + 0.18 * rim[3]
    sketch.paint(ribbon(glint, (0.3, 1.3, 0.3)), (250, 252, 255), IN_FRONT)

"""The head without its features: ears, the shape of the face, its shading, and its wrinkles."""

import numpy as np

from trainable.data.faces.body import GOLD, SHADOW
from trainable.data.faces.colors import Color, times
from trainable.data.faces.curves import ellipse, mirrored, moved, ribbon, symmetric
from trainable.data.faces.features import EYE_LEVEL
from trainable.data.faces.person import Ageing, Face, Person
from trainable.data.faces.sketch import Sketch

LINE_STRENGTH = 0.5


def face_outline(person: Person) -> np.ndarray:
    """Return the outline of the face, float64 [num_points, 2]."""
    face, sagging = person.face, person.ageing.sagging
    w = face.half_width
    right = [
        (0, -60),
        (0.66 * w, -51),
        (0.98 * w, -24),
        (w, 4),
        (face.jaw + 3.5 * sagging, 32 + 2 * sagging),
        (face.chin_width + 2, face.chin - 6),
        (0, face.chin),
    ]
    return symmetric(right)


def add_head(sketch: Sketch, person: Person) -> None:
    """Add the shadow below the chin, the ears, and the face without features."""
    outline = face_outline(person)
    sketch.shade(moved(outline * (0.9, 1.0), 0, 11), SHADOW)
    _add_ears(sketch, person)
    sketch.cover(outline, person.face.skin)


def _add_ears(sketch: Sketch, person: Person) -> None:
    """Add both ears, and earrings."""
    skin = person.face.skin
    for side in (-1, 1):
        x = side * (person.face.half_width + 1)
        sketch.cover(ellipse((x, 1), 7, 12), times(skin, 0.95), -4)
        sketch.paint(ellipse((x + side, 1), 3.4, 7), times(skin, 0.76), -4)
        if person.outfit.earrings:
            sketch.paint(ellipse((x + side, 15), 3, 4), GOLD, -4)


def add_roundness(sketch: Sketch, person: Person, light_side: float) -> None:
    """Darken the face towards its edges, more so on the side away from the light.

    Args:
        sketch: Where to.
        person: Whose face.
        light_side: Where the light comes from, -1 (left) to 1 (right).
    """
    outline = face_outline(person)
    sketch.shade(outline, (0.86, 0.8, 0.78))
    for size, factor in ((0.95, 0.9), (0.88, 0.96), (0.79, 1.0)):
        shift = 46 * (1 - size) * light_side
        tint = (factor, factor**1.25, factor**1.35)
        sketch.shade(moved(outline * size, shift, -2), tint)
    sketch.shade(ellipse((7 * light_side, -36), 22, 9), 1.05)


def add_skin(sketch: Sketch, person: Person) -> None:
    """Add blush, the sockets of the eyes, and what age does to a face."""
    face, ageing = person.face, person.ageing
    green = 1 - 0.17 * face.blush
    _add_forehead_lines(sketch, ageing.forehead)
    for side in (-1, 1):
        sketch.shade(ellipse((side * 25, 21), 10, 7), (1.02, green, green))
        sketch.shade(ellipse((side * 25, 20), 5, 3.5), (1.07, green, green))
        socket = ellipse((side * face.eye_distance, EYE_LEVEL - 3), 13, 8)
        sketch.shade(socket, (0.95, 0.92, 0.91))
        for outline, strength in _wrinkles(face, ageing):
            if strength > 0.03:
                sketch.shade(outline if side > 0 else mirrored(outline), _dimmed(strength))


def _dimmed(strength: float) -> Color:
    """Return the light in a fold of the skin: reddish, and darker the stronger it is."""
    dark = 1 - LINE_STRENGTH * strength
    return (1 - 0.8 * LINE_STRENGTH * strength, dark, dark)


def _add_forehead_lines(sketch: Sketch, strength: float) -> None:
    """Add lines across the forehead."""
    if strength < 0.1:
        return
    for y, half in ((-25, 22), (-31, 25), (-37, 20)):
        points = [(-half, y - 1), (-0.4 * half, y + 1.5), (0.4 * half, y + 1.5), (half, y - 1)]
        sketch.shade(ribbon(points, (1, 3, 3, 1)), _dimmed(0.9 * strength))


def _wrinkles(face: Face, ageing: Ageing) -> list[tuple[np.ndarray, float]]:
    """Return the right side's wrinkles and the strength of each."""
    x, nose, tip, mouth = face.eye_distance, face.nose_width, face.nose_length, face.mouth_width
    feet = [ribbon([(x + 11, y), (x + 19, 2.5 * y + 8)], (2.5, 1.5)) for y in (-6, -4, -2)]
    bag = ribbon([(x - 10, 2), (x - 1, 8), (x + 9, 4)], (2.5, 6, 2.5))
    fold = ribbon([(nose + 2, tip - 3), (nose + 8, tip + 7), (mouth + 4, tip + 17)], (2, 5, 2.5))
    hollow = ribbon([(33, 14), (29, 27), (24, 36)], (2, 7, 2))
    jowl = ribbon([(mouth + 1, 42), (mouth + 4, 50), (mouth - 2, 56)], (1, 4, 2))
    return [
        (bag, 0.12 + 0.95 * ageing.eye_bags),
        *((foot, 0.95 * ageing.forehead) for foot in feet),
        (fold, 0.07 + ageing.folds),
        (hollow, 0.5 * ageing.sagging),
        (jowl, 0.85 * ageing.sagging),
    ]

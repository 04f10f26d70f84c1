"""The head without its features: ears, the shape of the face, its shading, and its wrinkles."""

import numpy as np

from trainable.data.faces.body import SHADOW
from trainable.data.faces.canvas import Canvas
from trainable.data.faces.colors import times
from trainable.data.faces.curves import ellipse, ribbon, symmetric
from trainable.data.faces.person import Ageing, Face, Person


def face_outline(face: Face, sagging: float) -> np.ndarray:
    """Return the outline of the face, float64 [num_points, 2]."""
    w, jaw = face.half_width, face.jaw + 3.5 * sagging
    right = [
        (0, -60),
        (0.66 * w, -51),
        (0.98 * w, -24),
        (w, 4),
        (jaw, 32 + 2 * sagging),
        (face.chin_width + 2, face.chin - 6),
        (0, face.chin),
    ]
    return symmetric(right)


def paint_head(canvas: Canvas, person: Person, light_side: float) -> None:
    """Paint ears and face, shaded as if lit from a side.

    Args:
        canvas: Where to, in the pose of the head.
        person: Whose head.
        light_side: Where the light comes from, -1 (left) to 1 (right).
    """
    face, outline = person.face, face_outline(person.face, person.ageing.sagging)
    canvas.shade(outline * (0.9, 1.0) + (-5 * light_side, 11), SHADOW, 0.0)
    _paint_ears(canvas, person)
    canvas.cover(outline, face.skin, 0.0)
    _shade_roundness(canvas, outline, light_side)
    _shade_cheeks(canvas, face)
    _shade_wrinkles(canvas, face, person.ageing)


def _paint_ears(canvas: Canvas, person: Person) -> None:
    """Paint both ears, and earrings."""
    face = person.face
    for side in (-1, 1):
        x = side * (face.half_width + 1)
        canvas.cover(ellipse((x, 1), 7, 12), times(face.skin, 0.95), -6.0)
        canvas.paint(ellipse((x + side, 1), 3.4, 7), times(face.skin, 0.76), -6.0)
        if person.outfit.earrings:
            canvas.paint(ellipse((x + side, 15), 3, 4), (238, 208, 130), -6.0)


def _shade_roundness(canvas: Canvas, outline: np.ndarray, light_side: float) -> None:
    """Darken the face towards its edges, more so on the side away from the light."""
    canvas.shade(outline, (0.86, 0.8, 0.78), 0.0)
    for size, factor in ((0.95, 0.9), (0.88, 0.96), (0.79, 1.0)):
        shift = 46 * (1 - size) * light_side
        tint = (factor, factor**1.25, factor**1.35)
        canvas.shade(outline * size + (shift, -2), tint, 8.0)
    canvas.shade(ellipse((7 * light_side, -36), 22, 9), 1.05)


def _shade_cheeks(canvas: Canvas, face: Face) -> None:
    """Redden the cheeks and darken the sockets of the eyes."""
    red = (1.02, 1 - 0.17 * face.blush, 1 - 0.16 * face.blush)
    for side in (-1, 1):
        canvas.shade(ellipse((side * 25, 21), 10, 7), red)
        canvas.shade(ellipse((side * 25, 20), 5, 3.5), (1.07, red[1], red[2]))
        canvas.shade(ellipse((side * face.eye_distance, -7), 13, 8), (0.95, 0.92, 0.91))


def _shade_wrinkles(canvas: Canvas, face: Face, ageing: Ageing) -> None:
    """Shade what age does to a face."""
    _shade_forehead(canvas, ageing.forehead)
    for side in (-1, 1):
        _shade_around_eye(canvas, face, ageing, side)
        _shade_folds(canvas, face, ageing, side)


def _dimmed(strength: float) -> tuple[float, float, float]:
    """Return the light in a fold of the skin: reddish and darker the stronger it is."""
    return (1 - 0.8 * strength, 1 - strength, 1 - strength)


def _shade_forehead(canvas: Canvas, strength: float) -> None:
    """Shade lines across the forehead."""
    if strength < 0.1:
        return
    for y, half in ((-25, 22), (-31, 25), (-37, 20)):
        wrinkle = [(-half, y - 1), (-0.4 * half, y + 1.5), (0.4 * half, y + 1.5), (half, y - 1)]
        canvas.shade(ribbon(wrinkle, (1, 3, 3, 1)), _dimmed(0.3 * strength))


def _shade_around_eye(canvas: Canvas, face: Face, ageing: Ageing, side: int) -> None:
    """Shade the bag below an eye and the crow's feet beside it."""
    x = face.eye_distance
    bag = [(side * (x - 10), 2), (side * (x - 1), 8), (side * (x + 9), 4)]
    canvas.shade(ribbon(bag, (2, 4.5, 2)), _dimmed(0.06 + 0.3 * ageing.eye_bags))
    if ageing.forehead < 0.2:
        return
    for y in (-7, -2, 3):
        foot = [(side * (x + 11), -3 + 0.4 * y), (side * (x + 19), y - 2)]
        canvas.shade(ribbon(foot, (2.5, 1.5)), _dimmed(0.3 * ageing.forehead))


def _shade_folds(canvas: Canvas, face: Face, ageing: Ageing, side: int) -> None:
    """Shade the fold from nose to mouth, the hollow cheek and the sagging jaw."""
    nose, mouth = face.nose_width, face.mouth_width
    fold = [
        (side * (nose + 2), face.nose_length - 3),
        (side * (nose + 8), face.nose_length + 7),
        (side * (mouth + 4), face.nose_length + 17),
    ]
    canvas.shade(ribbon(fold, (2, 4, 2)), _dimmed(0.04 + 0.3 * ageing.folds))
    if ageing.sagging > 0.1:
        hollow = [(side * 33, 14), (side * 29, 27), (side * 24, 36)]
        canvas.shade(ribbon(hollow, (2, 7, 2)), _dimmed(0.16 * ageing.sagging))
        jowl = [(side * (mouth + 1), 42), (side * (mouth + 4), 50), (side * (mouth - 2), 56)]
        canvas.shade(ribbon(jowl, (1, 4, 2)), _dimmed(0.26 * ageing.sagging))

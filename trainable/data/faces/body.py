"""Neck, shoulders and clothes."""

from collections.abc import Callable

import numpy as np

from trainable.data.faces.canvas import Canvas
from trainable.data.faces.colors import mix, times
from trainable.data.faces.curves import ellipse, loop, mirrored, ribbon, symmetric
from trainable.data.faces.person import Face, Outfit, Person

SHADOW = (0.76, 0.7, 0.69)


def paint_body(canvas: Canvas, person: Person) -> None:
    """Paint what is seen below the head."""
    face, outfit = person.face, person.outfit
    _paint_neck(canvas, face)
    _paint_shoulders(canvas, outfit, face.neck)
    NECKLINES[outfit.neckline](canvas, outfit, face)


def _paint_neck(canvas: Canvas, face: Face) -> None:
    """Paint the neck."""
    n = face.neck
    outline = loop([(-n, 20), (-n, 62), (-n - 16, 86), (0, 96), (n + 16, 86), (n, 62), (n, 20)])
    canvas.cover(outline, times(face.skin, 0.96), 0.0)
    canvas.shade(ellipse((0, 56), n + 6, 17), SHADOW, 0.0)


def _paint_shoulders(canvas: Canvas, outfit: Outfit, neck: float) -> None:
    """Paint shoulders in the colour of the cloth, with folds."""
    s = outfit.shoulders
    right = [(0, 92), (neck + 7, 80), (0.62 * s, 91), (s, 108), (s + 9, 150), (s, 200), (0, 210)]
    canvas.cover(symmetric(right), outfit.cloth, 0.0)
    for side in (-1, 1):
        fold = [(side * (s - 16), 150), (side * (s - 14), 126), (side * (s - 22), 112)]
        canvas.shade(ribbon(fold, (7, 5, 1)), 0.8, 0.0)
        collar = [(side * (neck + 12), 84), (side * 0.5 * s, 93), (side * 0.8 * s, 101)]
        canvas.shade(ribbon(collar, (2, 5, 2)), 1.12, 0.0)


def _skin_patch(canvas: Canvas, face: Face, outline: np.ndarray) -> None:
    """Paint the skin that a neckline leaves free."""
    canvas.paint(outline, times(face.skin, 0.97), 0.0)


def _paint_crew(canvas: Canvas, outfit: Outfit, face: Face) -> None:
    """Paint a round collar close to the neck, and stripes on some."""
    n = face.neck
    if (int(outfit.shoulders * 10) % 3) == 0:
        for y in (112, 130):
            stripe = [(-0.93 * outfit.shoulders, y), (0, y + 4), (0.93 * outfit.shoulders, y)]
            canvas.paint(ribbon(stripe, (8, 8, 8)), outfit.trim, 0.0)
    _skin_patch(canvas, face, loop([(-n - 8, 80), (0, 95), (n + 8, 80), (0, 62)]))
    rim = [(-n - 10, 79), (-0.6 * n, 91), (0, 95), (0.6 * n, 91), (n + 10, 79)]
    canvas.paint(ribbon(rim, (4, 5, 5, 5, 4)), times(outfit.cloth, 0.82), 0.0)


def _paint_scoop(canvas: Canvas, outfit: Outfit, face: Face) -> None:
    """Paint a wide neckline with collar bones and a necklace."""
    n = face.neck
    _skin_patch(canvas, face, loop([(-n - 22, 82), (-n, 106), (0, 115), (n, 106), (n + 22, 82), (0, 60)]))
    for side in (-1, 1):
        bone = [(side * 5, 100), (side * (n + 2), 94), (side * (n + 18), 88)]
        canvas.shade(ribbon(bone, (1, 4, 1)), 0.86, 0.0)
    chain = [(-n - 2, 78), (-0.5 * n, 96), (0, 102), (0.5 * n, 96), (n + 2, 78)]
    canvas.paint(ribbon(chain, (1.4,) * 5), (226, 196, 120), 0.0)
    canvas.paint(ellipse((0, 104), 3, 3), mix(outfit.trim, (226, 196, 120), 0.5), 0.0)


def _paint_v_neck(canvas: Canvas, outfit: Outfit, face: Face) -> None:
    """Paint a pointed neckline with a border."""
    n = face.neck
    _skin_patch(canvas, face, np.array([(-n - 9, 78.0), (0, 118), (n + 9, 78), (0, 60)]))
    for side in (-1, 1):
        border = [(side * (n + 11), 77), (side * 0.5 * (n + 8), 100), (0, 122)]
        canvas.paint(ribbon(border, (6, 6, 5)), outfit.trim, 0.0)


def _paint_shirt(canvas: Canvas, outfit: Outfit, face: Face) -> None:
    """Paint an open collar, and a jacket over a light shirt on some."""
    n = face.neck
    shirt = mix(outfit.trim, (245, 244, 240), 0.72)
    canvas.paint(np.array([(-n - 12, 80.0), (0, 175), (n + 12, 80), (0, 60)]), shirt, 0.0)
    _skin_patch(canvas, face, np.array([(-n - 3, 78.0), (0, 103), (n + 3, 78), (0, 60)]))
    flap = np.array([(n + 3, 70.0), (n + 15, 82), (n + 1, 106), (1.5, 102), (n - 3, 88)])
    for points in (flap, mirrored(flap)):
        canvas.shade(points + (0, 3), 0.8, 0.0)
        canvas.paint(points, times(shirt, 1.03), 0.0)
    for y in (116, 134):
        canvas.paint(ellipse((0, y), 1.8, 1.8), times(shirt, 0.7), 0.0)


def _paint_hoodie(canvas: Canvas, outfit: Outfit, face: Face) -> None:
    """Paint a hood that lies around the neck, and its strings."""
    n = face.neck
    _skin_patch(canvas, face, loop([(-n - 8, 80), (0, 97), (n + 8, 80), (0, 62)]))
    hood = [(-n - 6, 66), (-n - 12, 84), (-0.5 * n, 99), (0, 104), (0.5 * n, 99), (n + 12, 84), (n + 6, 66)]
    canvas.shade(ribbon([(x, y + 7) for x, y in hood], (8, 16, 14, 12, 14, 16, 8)), 0.78, 0.0)
    canvas.paint(ribbon(hood, (7, 16, 13, 10, 13, 16, 7)), times(outfit.cloth, 1.1), 0.0)
    for side in (-1, 1):
        string = [(side * 12, 104), (side * 13, 118), (side * 11, 132)]
        canvas.paint(ribbon(string, (2.4, 2.4, 2.4)), (240, 238, 232), 0.0)


def _paint_turtleneck(canvas: Canvas, outfit: Outfit, face: Face) -> None:
    """Paint a high collar around the neck."""
    n = face.neck + 2
    outline = loop([(-n, 62), (-n - 4, 86), (0, 96), (n + 4, 86), (n, 62), (0, 68)])
    canvas.cover(outline, times(outfit.cloth, 1.05), 0.0)
    canvas.shade(ellipse((0, 62), n, 8), 0.72, 0.0)
    canvas.shade(ribbon([(-n - 2, 84), (0, 93), (n + 2, 84)], (2, 4, 2)), 0.84, 0.0)


NECKLINES: dict[str, Callable[[Canvas, Outfit, Face], None]] = {
    "crew": _paint_crew,
    "scoop": _paint_scoop,
    "v_neck": _paint_v_neck,
    "shirt": _paint_shirt,
    "hoodie": _paint_hoodie,
    "turtleneck": _paint_turtleneck,
}

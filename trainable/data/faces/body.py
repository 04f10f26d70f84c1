"""Neck, shoulders and clothes."""

from collections.abc import Callable

import numpy as np

from trainable.data.faces.colors import Color, mix, times
from trainable.data.faces.curves import Points, ellipse, loop, mirrored, moved, ribbon, symmetric
from trainable.data.faces.person import Face, Outfit, Person
from trainable.data.faces.sketch import Sketch

SHADOW: Color = (0.76, 0.7, 0.69)
GOLD: Color = (226, 196, 120)
LINEN: Color = (245, 244, 240)


def sketch_body(person: Person) -> Sketch:
    """Return what is seen below the head, in the same coordinates as the head."""
    sketch = Sketch(rounded=False)
    face, outfit = person.face, person.outfit
    _add_neck(sketch, face)
    _add_shoulders(sketch, outfit, face.neck)
    NECKLINES[outfit.neckline](sketch, outfit, face)
    return sketch


def _add_neck(sketch: Sketch, face: Face) -> None:
    """Add the neck with the shadow of the chin on it."""
    n = face.neck
    points = [(-n, 20), (-n, 62), (-n - 16, 86), (0, 96), (n + 16, 86), (n, 62), (n, 20)]
    sketch.cover(loop(points), times(face.skin, 0.96))
    sketch.shade(ellipse((0, 56), n + 6, 17), SHADOW)


def _add_shoulders(sketch: Sketch, outfit: Outfit, neck: float) -> None:
    """Add shoulders in the colour of the cloth, with folds."""
    s = outfit.shoulders
    right = [(0, 92), (neck + 7, 80), (0.62 * s, 91), (s, 108), (s + 9, 150), (s, 200), (0, 210)]
    sketch.cover(symmetric(right), outfit.cloth)
    fold = ribbon([(s - 16, 150), (s - 14, 126), (s - 22, 112)], (7, 5, 1))
    ridge = ribbon([(neck + 12, 84), (0.5 * s, 93), (0.8 * s, 101)], (2, 5, 2))
    for outline, factor in ((fold, 0.8), (ridge, 1.12)):
        sketch.shade(outline, factor)
        sketch.shade(mirrored(outline), factor)


def _add_skin(sketch: Sketch, face: Face, points: Points) -> None:
    """Add the skin that a round neckline leaves free."""
    sketch.paint(loop(points), times(face.skin, 0.97))


def _add_crew(sketch: Sketch, outfit: Outfit, face: Face) -> None:
    """Add a round collar close to the neck, and stripes on some."""
    n, s = face.neck, outfit.shoulders
    if outfit.striped:
        for y in (112, 130):
            stripe = ribbon([(-0.93 * s, y), (0, y + 4), (0.93 * s, y)], (8, 8, 8))
            sketch.paint(stripe, outfit.trim)
    _add_skin(sketch, face, [(-n - 8, 80), (0, 95), (n + 8, 80), (0, 62)])
    rim = [(-n - 10, 79), (-0.6 * n, 91), (0, 95), (0.6 * n, 91), (n + 10, 79)]
    sketch.paint(ribbon(rim, (4, 5, 5, 5, 4)), times(outfit.cloth, 0.82))


def _add_scoop(sketch: Sketch, outfit: Outfit, face: Face) -> None:
    """Add a wide neckline with collar bones and a necklace."""
    n = face.neck
    skin = [(-n - 22, 82), (-n, 106), (0, 115), (n, 106), (n + 22, 82), (0, 60)]
    _add_skin(sketch, face, skin)
    bone = ribbon([(5, 100), (n + 2, 94), (n + 18, 88)], (1, 4, 1))
    sketch.shade(bone, 0.86)
    sketch.shade(mirrored(bone), 0.86)
    chain = [(-n - 2, 78), (-0.5 * n, 96), (0, 102), (0.5 * n, 96), (n + 2, 78)]
    sketch.paint(ribbon(chain, (1.4,) * 5), GOLD)
    sketch.paint(ellipse((0, 104), 3, 3), mix(outfit.trim, GOLD, 0.5))


def _add_v_neck(sketch: Sketch, outfit: Outfit, face: Face) -> None:
    """Add a pointed neckline with a border."""
    n = face.neck
    skin = np.array([(-n - 9, 78.0), (0, 118), (n + 9, 78), (0, 60)])
    sketch.paint(skin, times(face.skin, 0.97))
    border = ribbon([(n + 11, 77), (0.5 * (n + 8), 100), (0, 122)], (6, 6, 5))
    sketch.paint(border, outfit.trim)
    sketch.paint(mirrored(border), outfit.trim)


def _add_shirt(sketch: Sketch, outfit: Outfit, face: Face) -> None:
    """Add a light shirt with an open collar beneath a jacket."""
    n = face.neck
    shirt = mix(outfit.trim, LINEN, 0.72)
    sketch.paint(np.array([(-n - 12, 80.0), (0, 175), (n + 12, 80), (0, 60)]), shirt)
    skin = np.array([(-n - 3, 78.0), (0, 103), (n + 3, 78), (0, 60)])
    sketch.paint(skin, times(face.skin, 0.97))
    flap = np.array([(n + 3, 70.0), (n + 15, 82), (n + 1, 106), (1.5, 102), (n - 3, 88)])
    for outline in (flap, mirrored(flap)):
        sketch.shade(moved(outline, 0, 3), 0.8)
        sketch.paint(outline, times(shirt, 1.03))
    for y in (116, 134):
        sketch.paint(ellipse((0, y), 1.8, 1.8), times(shirt, 0.7))


def _add_hoodie(sketch: Sketch, outfit: Outfit, face: Face) -> None:
    """Add a hood that lies around the neck, and its strings."""
    n = face.neck
    _add_skin(sketch, face, [(-n - 8, 80), (0, 97), (n + 8, 80), (0, 62)])
    right = np.array([(n + 6, 66), (n + 12, 84), (0.5 * n, 99)])
    hood = np.concatenate([mirrored(right), [(0, 104)], right[::-1]])
    sketch.shade(ribbon(moved(hood, 0, 7), (8, 16, 14, 12, 14, 16, 8)), 0.78)
    sketch.paint(ribbon(hood, (7, 16, 13, 10, 13, 16, 7)), times(outfit.cloth, 1.1))
    string = ribbon([(12, 104), (13, 118), (11, 132)], (2.4, 2.4, 2.4))
    sketch.paint(string, LINEN)
    sketch.paint(mirrored(string), LINEN)


def _add_turtleneck(sketch: Sketch, outfit: Outfit, face: Face) -> None:
    """Add a high collar around the neck."""
    n = face.neck + 2
    points = [
        (-n, 62),
        (-n - 3, 78),
        (-n - 15, 90),
        (0, 98),
        (n + 15, 90),
        (n + 3, 78),
        (n, 62),
        (0, 68),
    ]
    sketch.cover(loop(points), times(outfit.cloth, 1.05))
    sketch.shade(ellipse((0, 62), n, 8), 0.72)
    sketch.shade(ribbon([(-n - 2, 84), (0, 93), (n + 2, 84)], (2, 4, 2)), 0.84)


NECKLINES: dict[str, Callable[[Sketch, Outfit, Face], None]] = {
    "crew": _add_crew,
    "scoop": _add_scoop,
    "v_neck": _add_v_neck,
    "shirt": _add_shirt,
    "hoodie": _add_hoodie,
    "turtleneck": _add_turtleneck,
}

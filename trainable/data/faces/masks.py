"""Masks: their cut, colour and pattern, and the right and wrong ways to wear one."""

import numpy as np

from trainable.data.faces.colors import Color, times
from trainable.data.faces.curves import ellipse, line, loop, mirrored, moved, ribbon, symmetric
from trainable.data.faces.features import mouth_level
from trainable.data.faces.person import Face, Person
from trainable.data.faces.shot import Mask
from trainable.data.faces.sketch import Sketch

THICKNESS = 5.0
STRAP_COLOR: Color = (236, 236, 234)
NOSE_LEVELS = {"surgical": 5.0, "beak": 0.0, "cup": 4.0, "cloth": 2.0}


def add_mask(sketch: Sketch, person: Person, mask: Mask) -> None:
    """Add a mask as it is worn, with its straps, over the face."""
    face = person.face
    if mask.worn == "ear":
        _add_hanging(sketch, face, mask, person.hair.side)
        return
    right = _right_half(face, mask)
    outline = symmetric(right)
    _add_straps(sketch, face, right)
    sketch.shade(moved(outline, 0, 3), (0.8, 0.74, 0.73))
    sketch.cover(outline, mask.color, THICKNESS)
    _add_pattern(sketch, mask, right)
    _add_roundness(sketch, right)
    _add_cut(sketch, mask, right)


def _right_half(face: Face, mask: Mask) -> np.ndarray:
    """Return the right half of the mask's edge from top to bottom, float64 [6, 2]."""
    w, chin, nose = face.half_width, face.chin, NOSE_LEVELS[mask.kind]
    wing = (0.92 * w, 8 if mask.kind == "cloth" else 19)
    lower = [(face.jaw + 1, 37), (face.chin_width + 6, chin + 1), (0, chin + 5)]
    right = np.array([(0, nose), (12, nose + 5), wing, *lower])
    if mask.kind == "cup":
        right[2:4] *= (0.88, 1)
    if mask.worn == "on":
        return moved(right, 0, mask.slip)
    below_nose = mask.worn == "below_nose"
    top = face.nose_length + 6 if below_nose else mouth_level(face) + 9
    top = max(top + mask.slip, face.nose_length + 4)
    bottom = chin + (7 if below_nose else 15)
    right[:, 1] = np.interp(right[:, 1], (nose, chin + 5), (top, bottom))
    return right


def _add_straps(sketch: Sketch, face: Face, right: np.ndarray) -> None:
    """Add the straps from the mask to the ears."""
    w = face.half_width
    upper = ribbon([right[2] - (3, 0), (w, 4), (w + 4, -5)], (2, 2, 1.5))
    lower = ribbon([right[3] - (2, 0), (w - 1, 20), (w + 4, 8)], (2, 2, 1.5))
    for strap in (upper, lower, mirrored(upper), mirrored(lower)):
        sketch.cover(strap, STRAP_COLOR)


def _add_pattern(sketch: Sketch, mask: Mask, right: np.ndarray) -> None:
    """Add dots or stripes."""
    if mask.pattern == "plain":
        return
    half = 0.62 * right[2, 0]
    for row, y in enumerate(np.linspace(right[0, 1] + 8, right[-1, 1] - 8, 4)):
        if mask.pattern == "stripes":
            stripe = ribbon([(-half, y), (0, y + 2), (half, y)], (3, 3.6, 3))
            sketch.paint(stripe, mask.trim, THICKNESS)
        else:
            for x in (-24.5, -13.5, -2.5, 8.5, 19.5):
                sketch.paint(ellipse((x + 5 * (row % 2), y), 2.4, 2.4), mask.trim, THICKNESS)


def _add_roundness(sketch: Sketch, right: np.ndarray) -> None:
    """Darken the mask's edges and lighten its top."""
    top, bottom = right[0, 1], right[-1, 1]
    edge = ribbon(moved(right[2:5], -3, 0), (3, 7, 5))
    sketch.shade(edge, 0.86, THICKNESS)
    sketch.shade(mirrored(edge), 0.86, THICKNESS)
    sketch.shade(ellipse((0, bottom - 5), 16, 5), 0.84, THICKNESS)
    sketch.shade(ellipse((0, top + 0.28 * (bottom - top)), 9, 5), 1.1, THICKNESS)


def _add_cut(sketch: Sketch, mask: Mask, right: np.ndarray) -> None:
    """Add pleats, seam, valve or hem as the cut of the mask has them."""
    top, height, half = right[0, 1], right[-1, 1] - right[0, 1], 0.78 * right[2, 0]
    if mask.kind == "surgical":
        for share in (0.34, 0.52, 0.7):
            y, width = top + share * height, half * (1.05 - 0.3 * share)
            pleat = ribbon([(-width, y), (0, y + 3), (width, y)], (1, 1.6, 1))
            sketch.paint(pleat, times(mask.color, 0.82), THICKNESS)
    if mask.kind == "beak":
        y = top + 0.45 * height
        seam = np.array([(-half, y + 4), (0, y - 2), (half, y + 4)])
        sketch.shade(ribbon(moved(seam, 0, 7), (4, 12, 4)), 0.9, THICKNESS)
        sketch.paint(ribbon(seam, (1, 1.8, 1)), times(mask.color, 0.72), THICKNESS)
    if mask.kind == "cup":
        valve = ellipse((13, top + 0.5 * height + 3), 6, 0.1 * height)
        sketch.paint(valve, times(mask.color, 0.84), THICKNESS)
    if mask.kind == "cloth":
        hem = ribbon(moved(right[:3], -1, 3), (1.2, 1.2, 1.2))
        sketch.paint(hem, times(mask.color, 0.8), THICKNESS)
        sketch.paint(mirrored(hem), times(mask.color, 0.8), THICKNESS)


def _add_hanging(sketch: Sketch, face: Face, mask: Mask, side: int) -> None:
    """Add a mask that hangs from one ear."""
    w = face.half_width
    strap = np.array([(w + 2, -4), (w + 6, 12), (w - 2, 26)]) * (side, 1)
    sheet = [(w - 14, 20), (w + 17, 24), (w + 15, 64), (w - 8, 78), (w - 22, 52)]
    outline = loop(np.array(sheet) * (side, 1))
    sketch.cover(ribbon(strap, (2, 2, 2)), STRAP_COLOR)
    sketch.shade(moved(outline, 0, 4), 0.76)
    sketch.cover(outline, mask.color, THICKNESS)
    for y in (36, 47, 58):
        fold = line([(side * (w - 10), y), (side * (w + 11), y + 3)])
        sketch.paint(ribbon(fold[[0, -1]], (1.4, 1.4)), times(mask.color, 0.8), THICKNESS)

"""Masks: their cut, colour and pattern, and the right and wrong ways to wear one."""

import numpy as np

from trainable.data.faces.canvas import Canvas, on_face
from trainable.data.faces.colors import Color, times
from trainable.data.faces.curves import ellipse, line, loop, mirrored, ribbon, symmetric
from trainable.data.faces.features import mouth_level
from trainable.data.faces.person import Face, Person
from trainable.data.faces.shot import Mask

THICKNESS = 5.0


def paint_mask(canvas: Canvas, person: Person, mask: Mask) -> None:
    """Paint a mask as it is worn, with its straps, over the face."""
    face = person.face
    if mask.worn == "ear":
        _paint_hanging(canvas, face, mask, person.hair.side)
        return
    right = _right_half(face, mask)
    outline = symmetric(right)
    _paint_straps(canvas, face, right)
    canvas.shade(outline + (0, 3), (0.8, 0.74, 0.73), on_face(outline))
    canvas.cover(outline, mask.color, on_face(outline) + THICKNESS)
    _paint_pattern(canvas, mask, right)
    _shade_mask(canvas, mask, right)


def _right_half(face: Face, mask: Mask) -> np.ndarray:
    """Return the right half of the mask's edge from top to bottom, float64 [6, 2]."""
    w, jaw, chin = face.half_width, face.jaw, face.chin
    nose = {"surgical": 5, "beak": 0, "cup": 4, "cloth": 2}[mask.kind]
    full = np.array([
        (0, nose), (12, nose + 5), (0.92 * w, 19 if mask.kind != "cloth" else 8),
        (jaw + 1, 37), (face.chin_width + 6, chin + 1), (0, chin + 5),
    ])
    if mask.kind == "cup":
        full[2:4] *= (0.88, 1)
    full[:, 1] += mask.slip
    if mask.worn == "on":
        return full
    top = face.nose_length + 6 if mask.worn == "below_nose" else mouth_level(face) + 11
    lower_top = max(top + mask.slip, face.nose_length + 4)
    full[:, 1] = np.interp(full[:, 1], (nose, chin + 5), (lower_top, chin + (7, 15)[mask.worn == "chin"]))
    return full


def _paint_straps(canvas: Canvas, face: Face, right: np.ndarray) -> None:
    """Paint the straps from the mask to the ears."""
    w = face.half_width
    upper = ribbon([right[2] - (3, 0), (w, 4), (w + 4, -5)], (2, 2, 1.5))
    lower = ribbon([right[3] - (2, 0), (w - 1, 20), (w + 4, 8)], (2, 2, 1.5))
    for strap in (upper, lower):
        for outline in (strap, mirrored(strap)):
            canvas.cover(outline, (236, 236, 234), 3.0)


def _paint_pattern(canvas: Canvas, mask: Mask, right: np.ndarray) -> None:
    """Paint dots or stripes."""
    if mask.pattern == "plain":
        return
    top, bottom = right[0, 1] + 8, right[-1, 1] - 8
    for row, y in enumerate(np.linspace(top, bottom, 4)):
        if mask.pattern == "stripes":
            half = 0.62 * right[2, 0]
            points = [(-half, y), (0, y + 2), (half, y)]
            _paint_on(canvas, ribbon(points, (3, 3.6, 3)), mask.trim)
            continue
        for x in np.arange(-2, 3) * 11 + 5 * (row % 2) - 2.5:
            _paint_on(canvas, ellipse((x, y), 2.4, 2.4), mask.trim)


def _paint_on(canvas: Canvas, outline: np.ndarray, color: Color) -> None:
    """Paint something that lies on the mask."""
    canvas.paint(outline, color, on_face(outline) + THICKNESS)


def _shade_on(canvas: Canvas, outline: np.ndarray, factor: float) -> None:
    """Shade something that lies on the mask."""
    canvas.shade(outline, factor, on_face(outline) + THICKNESS)


def _shade_mask(canvas: Canvas, mask: Mask, right: np.ndarray) -> None:
    """Shade edges, folds and seams as the cut of the mask has them."""
    top, bottom = right[0, 1], right[-1, 1]
    side = right[2:5]
    for edge in (side - (3, 0), mirrored(side - (3, 0))):
        _shade_on(canvas, ribbon(edge, (3, 7, 5)), 0.86)
    _shade_on(canvas, ellipse((0, bottom - 5), 16, 5), 0.84)
    _shade_on(canvas, ellipse((0, top + 0.28 * (bottom - top)), 9, 5), 1.1)
    half = 0.78 * right[2, 0]
    if mask.kind == "surgical":
        for share in (0.34, 0.52, 0.7):
            y = top + share * (bottom - top)
            width = half * (1.05 - 0.3 * share)
            _paint_on(canvas, ribbon([(-width, y), (0, y + 3), (width, y)], (1, 1.6, 1)), times(mask.color, 0.82))
    if mask.kind == "beak":
        y = top + 0.45 * (bottom - top)
        seam = [(-half, y + 4), (0, y - 2), (half, y + 4)]
        _shade_on(canvas, ribbon([(x, y + 7) for x, y in seam], (4, 12, 4)), 0.9)
        _paint_on(canvas, ribbon(seam, (1, 1.8, 1)), times(mask.color, 0.72))
    if mask.kind == "cup":
        y = top + 0.5 * (bottom - top)
        _paint_on(canvas, ellipse((13, y + 3), 6, 5), times(mask.color, 0.84))
        _shade_on(canvas, ellipse((-6, y), 9, 9), 1.1)
    if mask.kind == "cloth":
        hem = line(right[:3] + [(0, 3), (0, 3), (-4, 3)])
        for points in (hem[::5], mirrored(hem[::5])):
            _paint_on(canvas, ribbon(points, (1.2,) * len(points)), times(mask.trim, 0.9))


def _paint_hanging(canvas: Canvas, face: Face, mask: Mask, side: int) -> None:
    """Paint a mask that hangs from one ear."""
    w = face.half_width
    ear = np.array([(side * (w + 2), -4), (side * (w + 6), 12), (side * (w - 2), 26)])
    canvas.cover(ribbon(ear, (2, 2, 2)), (236, 236, 234), 0.0)
    sheet = loop([
        (side * (w - 8), 22), (side * (w + 14), 26), (side * (w + 12), 62), (side * (w - 4), 72), (side * (w - 14), 50),
    ])
    canvas.shade(sheet + (0, 4), 0.76, 0.0)
    canvas.cover(sheet, mask.color, 6.0)
    for y in (36, 47, 58):
        fold = [(side * (w - 10), y), (side * (w + 11), y + 3)]
        canvas.paint(ribbon(fold, (1.4, 1.4)), times(mask.color, 0.8), 6.0)

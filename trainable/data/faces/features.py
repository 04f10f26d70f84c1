"""The features of a face: eyes, brows, nose, mouth and beard."""

import numpy as np

from trainable.data.faces.canvas import Canvas, on_face
from trainable.data.faces.colors import Color, mix, times
from trainable.data.faces.curves import ellipse, line, loop, ribbon
from trainable.data.faces.person import Face, Person
from trainable.data.faces.shot import Expression

EYE_LEVEL = -4.0
LASH_COLOR: Color = (46, 34, 34)
EYE_WHITE: Color = (244, 241, 238)


def mouth_level(face: Face) -> float:
    """Return the height (y) of the middle of the mouth."""
    return face.nose_length + 15


def paint_eyes(canvas: Canvas, person: Person, expression: Expression) -> None:
    """Paint both eyes with their lids, lashes and brows."""
    for side in (-1, 1):
        _paint_eye(canvas, person, expression, side)
        _paint_brow(canvas, person, side)


def _paint_eye(canvas: Canvas, person: Person, expression: Expression, side: int) -> None:
    """Paint an eye: the white, the iris, then the lids that cover what is too much of them."""
    face = person.face
    size = face.eye_size
    height = 0.56 * size * expression.eyes_open * (1 - 0.22 * person.ageing.sagging)
    center = np.array([side * face.eye_distance, EYE_LEVEL])

    def place(points: list[tuple[float, float]]) -> np.ndarray:
        return np.array(points) * (side, 1) + center

    outer, inner = (size, -face.eye_tilt), (-size, 1.2)
    top = place([inner, (-0.5 * size, -0.8 * height), (0.25 * size, -height), outer])
    bottom = place([inner, (-0.3 * size, 0.72 * height), (0.45 * size, 0.66 * height), outer])
    upper, lower = line(top), line(bottom)
    canvas.paint(np.concatenate([upper, lower[::-1]]), EYE_WHITE)
    _paint_iris(canvas, face, center + expression.gaze)
    lid = mix(times(face.skin, 0.93), (118, 82, 120), face.eye_shadow)
    brim = place([(1.12 * size, -5), (0.2 * size, -height - 6), (-1.1 * size, -3)])
    canvas.paint(np.concatenate([upper, line(brim)]), lid)
    rim = place([(1.1 * size, 4), (0.2 * size, height + 5), (-1.1 * size, 4)])
    canvas.paint(np.concatenate([lower, line(rim)]), times(face.skin, 0.98))
    _paint_lashes(canvas, face, top, side)


def _paint_iris(canvas: Canvas, face: Face, center: np.ndarray) -> None:
    """Paint iris, pupil and the light mirrored in them."""
    x, y = float(center[0]), float(center[1]) - 0.3
    radius = 0.55 * face.eye_size
    canvas.paint(ellipse((x, y), radius, radius), times(face.eye_color, 0.75))
    canvas.paint(ellipse((x, y + 0.4), 0.78 * radius, 0.78 * radius), times(face.eye_color, 1.2))
    canvas.paint(ellipse((x, y), 0.46 * radius, 0.46 * radius), (22, 18, 20))
    canvas.paint(ellipse((x - 1.5, y - 1.7), 1.4, 1.4), (255, 255, 255))


def _paint_lashes(canvas: Canvas, face: Face, top: np.ndarray, side: int) -> None:
    """Paint the dark edge of the upper lid and the crease above it."""
    thick = 1.5 + 1.9 * face.lashes
    wing = top[-1] + (side * 3.4 * face.lashes, -2.6 * face.lashes)
    edge = np.concatenate([top, wing[None]]) if face.lashes > 0.25 else top
    widths = (0.8, 0.9 * thick, thick, 0.9 * thick, 0.4)[: len(edge)]
    canvas.paint(ribbon(edge, widths), LASH_COLOR)
    crease = top - (0, 3.2)
    canvas.paint(ribbon(crease, (0.5, 1.1, 1.3, 0.4)), times(face.skin, 0.72))


def _paint_brow(canvas: Canvas, person: Person, side: int) -> None:
    """Paint a brow in a darker shade of the hair."""
    face = person.face
    x, y = face.eye_distance, EYE_LEVEL - face.brow_height
    points = [(side * (x - 11), y + 2.5), (side * (x + 2), y - face.brow_arch), (side * (x + 13), y + 3)]
    color = mix(times(person.hair.color, 0.72), (56, 40, 34), 0.35)
    canvas.paint(ribbon(points, (face.brow_width, 1.05 * face.brow_width, 1.2)), color)


def paint_nose(canvas: Canvas, face: Face, light_side: float) -> None:
    """Paint the nose: shadow on one side, light on the tip, nostrils."""
    width, tip = face.nose_width, face.nose_length
    dark = -1 if light_side > 0 else 1
    bridge = np.array([(dark * 3.5, -9), (dark * 4, 4), (dark * (width + 0.5), tip - 2), (dark * 2, tip)])
    canvas.shade(bridge, (0.9, 0.84, 0.83), on_face(bridge) + 4)
    below = ellipse((0, tip + 3.5), width + 1, 3)
    canvas.shade(below, (0.84, 0.76, 0.75), on_face(below) + 3)
    shine = ellipse((-1.5 * dark, tip - 5), 3.2, 4.5)
    canvas.shade(shine, 1.12, on_face(shine) + 11)
    edge = ribbon(
        [(-width, tip - 3), (-width + 1, tip + 1), (-3, tip + 1), (0, tip + 2.6), (3, tip + 1),
         (width - 1, tip + 1), (width, tip - 3)],
        (0.6, 1.3, 1.8, 1.2, 1.8, 1.3, 0.6),
    )
    canvas.paint(edge, times(face.skin, 0.66), on_face(edge) + 5)


def paint_mouth(canvas: Canvas, face: Face, expression: Expression) -> None:
    """Paint the lips, open with teeth in a wide smile."""
    half = face.mouth_width + 1.8 * expression.smile
    lift = 3.0 * expression.smile
    full, gap = face.lip_fullness, 4.2 * expression.mouth_open
    level = np.array([0.0, mouth_level(face)])
    middle = 0.55 * lift
    corner_left, corner_right = (-half, -lift), (half, -lift)
    upper = [
        corner_left, (-0.55 * half, middle - 0.75 * full - 0.3 * lift), (-0.16 * half, middle - full),
        (0, middle - 0.75 * full), (0.16 * half, middle - full),
        (0.55 * half, middle - 0.75 * full - 0.3 * lift), corner_right,
    ]
    lower = [
        corner_right, (0.55 * half, middle + gap + 0.95 * full - 0.2 * lift),
        (0, middle + gap + 1.25 * full), (-0.55 * half, middle + gap + 0.95 * full - 0.2 * lift),
        corner_left,
    ]
    canvas.paint(np.concatenate([line(upper), line(lower)]) + level, face.lip_color)
    canvas.shade(ellipse((0, level[1] + middle + gap + 1.9 * full + 2), 8, 2.2), (0.88, 0.82, 0.8))
    if gap > 1.2:
        _paint_open_mouth(canvas, level, half, (middle, lift, gap))
    seam = [corner_left, (-0.5 * half, middle - 0.35 * lift), (0, middle), (0.5 * half, middle - 0.35 * lift), corner_right]
    canvas.paint(ribbon(np.array(seam) + level, (0.6, 1.3, 1.4, 1.3, 0.6)), times(face.lip_color, 0.52))


def _paint_open_mouth(
    canvas: Canvas, level: np.ndarray, half: float, heights: tuple[float, float, float]
) -> None:
    """Paint what is seen between open lips."""
    middle, lift, gap = heights
    inside = [
        (-0.82 * half, -0.6 * lift), (0, middle), (0.82 * half, -0.6 * lift),
        (0.5 * half, middle + 0.75 * gap), (0, middle + gap), (-0.5 * half, middle + 0.75 * gap),
    ]
    canvas.paint(loop(inside) + level, (96, 36, 40))
    teeth = [
        (-0.68 * half, -0.3 * lift + 0.2), (0, middle + 0.2), (0.68 * half, -0.3 * lift + 0.2),
        (0.4 * half, middle + 0.5 * gap), (0, middle + 0.62 * gap), (-0.4 * half, middle + 0.5 * gap),
    ]
    canvas.paint(loop(teeth) + level, (248, 246, 240))


def paint_beard(canvas: Canvas, person: Person) -> None:
    """Paint the beard, or shade stubble."""
    face, hair = person.face, person.hair
    level = mouth_level(face)
    jaw = _jaw_region(face, level)
    if hair.stubble > 0.25:
        dim = 1 - 0.2 * hair.stubble
        canvas.shade(jaw, (dim, dim, dim + 0.03))
    color = mix(times(hair.color, 0.9), face.skin, 0.14)
    if hair.beard == "full":
        canvas.paint(jaw, color)
    if hair.beard == "goatee":
        outline = [(-12, level + 6), (0, level + 8), (12, level + 6), (11, face.chin), (0, face.chin + 4), (-11, face.chin)]
        canvas.paint(loop(outline), color)
    if hair.beard != "none":
        y = 0.5 * (level + face.nose_length) + 2
        points = [(-16, y + 6), (-8, y), (0, y + 0.8), (8, y), (16, y + 6)]
        canvas.paint(ribbon(points, (1.5, 5.5, 4, 5.5, 1.5)), color)


def _jaw_region(face: Face, level: float) -> np.ndarray:
    """Return the outline of where a full beard grows, float64 [num_points, 2]."""
    w, jaw = face.half_width, face.jaw
    half = [
        (w - 1, 2), (jaw + 2, 32), (face.chin_width + 4, face.chin - 3), (0, face.chin + 4),
    ]
    inner = [(0, level - 9), (-17, level - 6), (-w + 13, 22), (-w + 5, 2)]
    right = [(-x, y) for x, y in inner[:0:-1]]
    left = [(-x, y) for x, y in half[-2::-1]]
    return loop([*right[:0], *half, *left, *inner[:0:-1], inner[0], *[(-x, y) for x, y in inner[1:]]])

"""The features of a face: eyes, brows, nose, mouth and beard."""

from dataclasses import dataclass

import numpy as np

from trainable.data.faces.colors import Color, mix, times
from trainable.data.faces.curves import ellipse, line, loop, mirrored, moved, ribbon
from trainable.data.faces.person import Face, Person
from trainable.data.faces.shot import Expression
from trainable.data.faces.sketch import Sketch

EYE_LEVEL = -4.0
LASH_COLOR: Color = (46, 34, 34)
EYE_WHITE: Color = (244, 241, 238)
EYE_SHADOW: Color = (118, 82, 120)
PUPIL: Color = (22, 18, 20)
WHITE: Color = (255, 255, 255)
TEETH: Color = (248, 246, 240)
THROAT: Color = (96, 36, 40)


def mouth_level(face: Face) -> float:
    """Return the height (y) of the middle of the mouth."""
    return face.nose_length + 15


def add_eyes(sketch: Sketch, person: Person, expression: Expression) -> None:
    """Add both eyes with their lids, lashes and brows."""
    for side in (-1, 1):
        _add_eye(sketch, person, expression, side)
        _add_brow(sketch, person, side)


def _add_eye(sketch: Sketch, person: Person, expression: Expression, side: int) -> None:
    """Add an eye: the white, the iris, then the lids, which cover what is too much of them."""
    face = person.face
    a = face.eye_size
    h = 0.6 * a * expression.eyes_open * (1 - 0.22 * person.ageing.sagging)
    center = np.array([side * face.eye_distance, EYE_LEVEL])
    to_place = (np.array([side, 1.0]), center)
    inner, outer = (-a, 1.2), (a, -face.eye_tilt)
    top = _placed([inner, (-0.5 * a, -0.8 * h), (0.25 * a, -h), outer], to_place)
    bottom = _placed([inner, (-0.3 * a, 0.72 * h), (0.45 * a, 0.66 * h), outer], to_place)
    brim = _placed([(1.12 * a, -5), (0.2 * a, -h - 6), (-1.1 * a, -3)], to_place)
    rim = _placed([(1.1 * a, 4), (0.2 * a, h + 5), (-1.1 * a, 4)], to_place)
    upper, lower = line(top), line(bottom)
    sketch.paint(np.concatenate([upper, lower[::-1]]), EYE_WHITE)
    _add_iris(sketch, face, center + expression.gaze)
    lid = mix(times(face.skin, 0.93), EYE_SHADOW, face.eye_shadow)
    sketch.paint(np.concatenate([upper, line(brim)]), lid)
    sketch.paint(np.concatenate([lower, line(rim)]), times(face.skin, 0.98))
    _add_lashes(sketch, face, top, side)


def _placed(
    points: list[tuple[float, float]], to_place: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    """Return points of an eye where the eye is: mirrored or not, and moved."""
    placed: np.ndarray = np.array(points) * to_place[0] + to_place[1]
    return placed


def _add_iris(sketch: Sketch, face: Face, center: np.ndarray) -> None:
    """Add iris, pupil and the light mirrored in them."""
    x, y = float(center[0]), float(center[1]) - 0.3
    radius = 0.55 * face.eye_size
    sketch.paint(ellipse((x, y), radius, radius), times(face.eye_color, 0.75))
    sketch.paint(ellipse((x, y + 0.4), 0.78 * radius, 0.78 * radius), times(face.eye_color, 1.2))
    sketch.paint(ellipse((x, y), 0.46 * radius, 0.46 * radius), PUPIL)
    sketch.paint(ellipse((x - 1.5, y - 1.7), 1.4, 1.4), WHITE)


def _add_lashes(sketch: Sketch, face: Face, top: np.ndarray, side: int) -> None:
    """Add the dark edge of the upper lid and the crease above it."""
    thick = 1.5 + 1.9 * face.lashes
    wing = top[-1] + (side * 3.4 * face.lashes, -2.6 * face.lashes)
    edge = np.concatenate([top, wing[None]])
    sketch.paint(ribbon(edge, (0.8, 0.9 * thick, thick, 0.9 * thick, 0.4)), LASH_COLOR)
    crease = ribbon(top - (0, 3.2), (0.5, 1.1, 1.3, 0.4))
    sketch.paint(crease, times(face.skin, 0.72))


def _add_brow(sketch: Sketch, person: Person, side: int) -> None:
    """Add a brow in a darker shade of the hair."""
    face = person.face
    x, y = face.eye_distance, EYE_LEVEL - face.brow_height
    points = np.array([(x - 11, y + 1.5), (x + 2, y - face.brow_arch), (x + 13, y + 3)])
    color = mix(times(person.hair.color, 0.72), (56, 40, 34), 0.35)
    outline = ribbon(points, (face.brow_width, 1.05 * face.brow_width, 1.2))
    sketch.paint(outline if side > 0 else mirrored(outline), color)


def add_nose(sketch: Sketch, face: Face, light_side: float) -> None:
    """Add the nose: shadow on one side and below, light on the tip, nostrils."""
    w, tip = face.nose_width, face.nose_length
    dark = -1 if light_side > 0 else 1
    flank = np.array([(3.5, -9), (4, 4), (w + 0.5, tip - 2), (2, tip)]) * (dark, 1)
    sketch.shade(flank, (0.9, 0.84, 0.83), 4)
    sketch.shade(ellipse((0, tip + 3.5), w + 1, 3), (0.84, 0.76, 0.75), 3)
    sketch.shade(ellipse((-1.5 * dark, tip - 5), 3.2, 4.5), 1.12, 11)
    right = np.array([(w, tip - 3), (w - 1, tip + 1), (3, tip + 1)])
    edge = np.concatenate([right, [(0, tip + 2.6)], mirrored(right[::-1])])
    sketch.paint(ribbon(edge, (0.6, 1.3, 1.8, 1.2, 1.8, 1.3, 0.6)), times(face.skin, 0.66), 5)


@dataclass(frozen=True)
class _Mouth:
    """The measures of a mouth: half its width, rise of its corners, opening, height (y)."""

    half: float
    lift: float
    gap: float
    level: float

    @property
    def middle(self) -> float:
        """How far a smile lowers the middle of the lips."""
        return 0.55 * self.lift

    def placed(self, right: list[tuple[float, float]]) -> np.ndarray:
        """Return the symmetric line from the left corner of the mouth to the right one.

        Args:
            right: Its points from the middle to the right corner.
        """
        half = moved(np.array(right, float), 0, self.level)
        return np.concatenate([mirrored(half[:0:-1]), half])


def add_mouth(sketch: Sketch, face: Face, expression: Expression) -> None:
    """Add the lips, open with teeth where the person laughs."""
    smile = expression.smile
    mouth = _Mouth(
        face.mouth_width + 1.8 * smile, 3 * smile, 4.2 * expression.mouth_open, mouth_level(face)
    )
    _add_lips(sketch, face, mouth)
    if mouth.gap > 1.2:
        _add_teeth(sketch, mouth)
    m, half, lift = mouth.middle, mouth.half, mouth.lift
    seam = mouth.placed([(0, m), (0.5 * half, m - 0.35 * lift), (half, -lift)])
    sketch.paint(ribbon(seam, (0.6, 1.3, 1.4, 1.3, 0.6)), times(face.lip_color, 0.52))


def _add_lips(sketch: Sketch, face: Face, mouth: _Mouth) -> None:
    """Add both lips in one colour, and the shadow below them."""
    m, half, lift, full = mouth.middle, mouth.half, mouth.lift, face.lip_fullness
    corner = (half, -lift)
    bow = [(0, m - 0.75 * full), (0.16 * half, m - full)]
    upper = mouth.placed([*bow, (0.55 * half, m - 0.75 * full - 0.3 * lift), corner])
    deep = m + mouth.gap
    below = (0.55 * half, deep + 0.95 * full - 0.2 * lift)
    lower = mouth.placed([(0, deep + 1.25 * full), below, corner])
    sketch.paint(np.concatenate([line(upper), line(lower[::-1])]), face.lip_color)
    shadow = ellipse((0, mouth.level + deep + 1.9 * full + 2), 8, 2.2)
    sketch.shade(shadow, (0.88, 0.82, 0.8))


def _add_teeth(sketch: Sketch, mouth: _Mouth) -> None:
    """Add what is seen between open lips."""
    m, half, lift, gap = mouth.middle, mouth.half, mouth.lift, mouth.gap
    top = mouth.placed([(0, m), (0.82 * half, -0.6 * lift)])
    floor = mouth.placed([(0, m + gap), (0.5 * half, m + 0.75 * gap)])
    sketch.paint(loop(np.concatenate([top, floor[::-1]])), THROAT)
    top = mouth.placed([(0, m + 0.2), (0.68 * half, 0.2 - 0.3 * lift)])
    floor = mouth.placed([(0, m + 0.62 * gap), (0.4 * half, m + 0.5 * gap)])
    sketch.paint(loop(np.concatenate([top, floor[::-1]])), TEETH)


def add_beard(sketch: Sketch, person: Person) -> None:
    """Add stubble and the beard."""
    face, hair = person.face, person.hair
    level = mouth_level(face)
    color = mix(times(hair.color, 0.9), face.skin, 0.14)
    if hair.stubble > 0.25:
        dim = 1 - 0.2 * hair.stubble
        sketch.shade(_jaw_region(face), (dim, dim, dim + 0.03))
    if hair.beard == "full":
        sketch.paint(_jaw_region(face), color)
    if hair.beard == "goatee":
        chin = face.chin
        points = [(-12, level + 6), (0, level + 8), (12, level + 6), (11, chin), (-11, chin)]
        sketch.paint(loop(points), color)
    if hair.beard != "none":
        y = 0.5 * (level + face.nose_length) + 2
        points = [(-16, y + 6), (-8, y), (0, y + 0.8), (8, y), (16, y + 6)]
        sketch.paint(ribbon(points, (1.5, 5.5, 4, 5.5, 1.5)), color)


def _jaw_region(face: Face) -> np.ndarray:
    """Return the outline of where a full beard grows, float64 [num_points, 2]."""
    w, level = face.half_width, mouth_level(face)
    chin = [(face.jaw + 2, 32), (face.chin_width + 4, face.chin - 3), (0, face.chin + 4)]
    outer = np.array([(w - 1, 2), *chin])
    inner = np.array([(w - 5, 2), (w - 13, 22), (17, level - 6), (0, level - 9)])
    left = mirrored(np.concatenate([outer[-2::-1], inner[:-1]]))
    return loop(np.concatenate([outer, left, inner[::-1]]))

"""Hair on the head: what hangs behind, the cap on the skull, locks at the sides."""

import numpy as np

from trainable.data.faces.colors import Color, times
from trainable.data.faces.curves import ellipse, line, loop, mirrored, moved, ribbon, symmetric
from trainable.data.faces.hairstyles import HAIRLINES
from trainable.data.faces.person import Person
from trainable.data.faces.sketch import Sketch

BEHIND = -14.0
LOWEST_CAP = 4.0


def _lift(person: Person) -> float:
    """Return how far the hair stands above the skull."""
    return person.hair.volume + person.hair.style.lift


def sketch_hair_behind(person: Person) -> Sketch:
    """Return the hair that the head and the shoulders hide in part."""
    sketch = Sketch(rounded=False)
    style, color = person.hair.style, times(person.hair.color, 0.86)
    if style.length is not None:
        outline = _back_outline(person, style.length)
        sketch.cover(outline, color, BEHIND)
        sketch.shade(outline * (0.86, 0.98), 0.86, BEHIND)
    if style.extra == "bun":
        sketch.cover(ellipse((0, -74 - _lift(person)), 18, 16), color, BEHIND)
        sketch.shade(ellipse((-3, -80 - _lift(person)), 8, 5), 1.2, BEHIND)
    if style.extra == "tail":
        sketch.cover(_tail(person), color, BEHIND)
    if style.extra == "curls":
        _add_curls(sketch, _outer_edge(person), color)
    return sketch


def _tail(person: Person) -> np.ndarray:
    """Return the outline of a tail of hair at one side, float64 [num_points, 2]."""
    w = person.face.half_width
    points = np.array([(0.5 * w, -52), (w + 8, -44), (w + 16, 4), (w + 8, 62)])
    return ribbon(points * (person.hair.side, 1), (14, 16, 21, 4))


def _back_outline(person: Person, length: float) -> np.ndarray:
    """Return the outline of long hair behind the head, float64 [num_points, 2]."""
    style, w, lift = person.hair.style, person.face.half_width, _lift(person)
    share = np.linspace(0, 1, 4)
    wave = style.wave * np.array([0, 1, -1, 1])
    x = w + 4 + 0.4 * lift + style.spread * share + wave
    y = 2 + (length - 8) * share
    top = [(0, -67 - lift), (0.8 * w + 0.6 * lift, -54 - 0.6 * lift), (w + 4 + 0.5 * lift, -22)]
    end = [(0.62 * (w + style.spread), length + 2), (0, length - 2)]
    return symmetric(np.concatenate([top, np.stack([x, y], 1), end]))


def _outer_edge(person: Person) -> np.ndarray:
    """Return the outer edge of the cap of hair from right to left, float64 [9, 2]."""
    w, lift = person.face.half_width, _lift(person)
    right = np.array(
        [
            (w + 2, min(person.hair.style.sides, LOWEST_CAP)),
            (w + 3 + 0.45 * lift, -26),
            (0.85 * w + 0.6 * lift, -51 - 0.6 * lift),
            (0.45 * w + 0.3 * lift, -65 - 0.9 * lift),
            (0, -69 - lift),
        ]
    )
    return np.concatenate([right, mirrored(right)[-2::-1]])


def _hairline(person: Person) -> np.ndarray:
    """Return the edge of the hair on the forehead from right to left, float64 [7, 2]."""
    style, side = person.hair.style, person.hair.side
    right = np.array(HAIRLINES[style.hairline]) * (person.face.half_width, 1)
    right[0, 1] = min(style.sides, LOWEST_CAP)
    if style.thinning is None:
        right[:, 1] -= 8 * person.ageing.receding
    edge = np.concatenate([right, mirrored(right)[-2::-1]])
    if style.hairline == "side":
        edge[edge[:, 0] * side > 0, 1] += 6
        edge[3] += (-16 * side, -4)
    return edge


def add_hair(sketch: Sketch, person: Person) -> None:
    """Add the hair in front: the cap on the skull with its strands, and the locks."""
    style, color = person.hair.style, person.hair.color
    if style.hairline == "bald":
        _add_side_patches(sketch, person)
        return
    outer, inner = _outer_edge(person), _hairline(person)
    shadow = loop(np.concatenate([outer, moved(inner[::-1], 0, 4)]))
    sketch.shade(shadow, (0.84, 0.78, 0.76))
    sketch.cover(loop(np.concatenate([outer, inner[::-1]])), color)
    _add_strands(sketch, outer, inner, person)
    if style.extra == "tuft":
        _add_tuft(sketch, person)
    if style.extra == "curls":
        _add_curls(sketch, 0.86 * outer[1:-1], color)
    if style.sides > LOWEST_CAP:
        for side in (-1, 1):
            _add_lock(sketch, person, side)


def _add_strands(sketch: Sketch, outer: np.ndarray, inner: np.ndarray, person: Person) -> None:
    """Add strands from the parting towards the hairline and the sides, and a shine on them."""
    color = person.hair.color
    parting = np.array([12.0 * person.hair.side, 0.94 * outer[4, 1]])
    for number, end in enumerate((*outer[[1, 7]], *inner[[1, 2, 4, 5]])):
        middle = 0.5 * (parting + end) + np.array([0.16 * (end[0] - parting[0]), -5])
        outline = ribbon(np.stack([parting, middle, end]), (0.5, 1.9, 0.4))
        sketch.paint(outline, times(color, (0.86, 1.07)[number % 2]))
    sketch.shade(ribbon(outer[2:7] * (0.74, 0.8), (1, 5, 7, 5, 1)), 1.16)


def _add_side_patches(sketch: Sketch, person: Person) -> None:
    """Add what is left of the hair beside a bald top."""
    w = person.face.half_width
    points = [(w + 1, -6), (w + 3, -20), (0.95 * w, -37), (0.88 * w, -30), (0.94 * w, -12)]
    patch = loop(points)
    sketch.cover(patch, person.hair.color)
    sketch.cover(mirrored(patch), person.hair.color)
    sketch.shade(ellipse((-10, -47), 13, 5), 1.2)


def _add_tuft(sketch: Sketch, person: Person) -> None:
    """Add hair that is combed up from the forehead."""
    side, lift, color = person.hair.side, person.hair.volume, person.hair.color
    top = [(-22, -72 - lift), (8, -84 - lift), (26, -70 - lift)]
    outline = loop(np.array([(-24, -46), *top, (24, -44), (0, -47)]) * (side, 1))
    sketch.cover(outline, times(color, 1.08), 8)
    strand = np.array([(-14, -48), (-6, -64 - lift), (14, -72 - lift)]) * (side, 1)
    sketch.paint(ribbon(strand, (1, 3, 1)), times(color, 0.85), 8)


def _add_curls(sketch: Sketch, edge: np.ndarray, color: Color) -> None:
    """Add curls along an edge."""
    for number, (x, y) in enumerate(line(edge)[::3]):
        radius = 10 + 2 * np.sin(7 * number)
        sketch.cover(ellipse((x, y), radius, radius), times(color, 0.92 + 0.06 * (number % 3)))
        sketch.shade(ellipse((x - 2, y - 3), 0.4 * radius, 0.4 * radius), 1.18)


def _add_lock(sketch: Sketch, person: Person, side: int) -> None:
    """Add a lock that falls in front of an ear."""
    style, color, w = person.hair.style, person.hair.color, person.face.half_width
    points = np.array(
        [
            (0.84 * w, -38),
            (w + 1, -12),
            (w + 3 + style.wave, 0.45 * style.sides),
            (w + 1 + 0.4 * style.spread - style.wave, style.sides),
            (w - 3 + 0.5 * style.spread, style.sides + 14),
        ]
    ) * (side, 1)
    sketch.cover(ribbon(points, (5, 13, 15, 13, 3)), color, 4)
    strand = ribbon(points - (side * 2, 0), (1, 2, 2, 2, 1))
    sketch.paint(strand, times(color, 0.86), 4)
    sketch.shade(ribbon(points[1:4], (1, 5, 1)), 1.15, 4)

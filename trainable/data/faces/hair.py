"""Hair on the head: what hangs behind, the cap on the skull, locks at the sides."""

import numpy as np

from trainable.data.faces.canvas import Canvas, on_face
from trainable.data.faces.colors import Color, times
from trainable.data.faces.curves import ellipse, line, loop, mirrored, ribbon, symmetric
from trainable.data.faces.hairstyles import HAIRLINES
from trainable.data.faces.person import Person

BEHIND = -14.0


def paint_hair_behind(canvas: Canvas, person: Person) -> None:
    """Paint the hair that the head and the shoulders hide in part."""
    style, color = person.hair.style, times(person.hair.color, 0.86)
    lift, w = person.hair.volume + style.lift, person.face.half_width
    if style.length is not None:
        canvas.cover(_back_outline(person, style.length), color, BEHIND)
        canvas.shade(_back_outline(person, style.length) * (0.86, 0.98), 0.86, BEHIND)
    if style.extra == "bun":
        canvas.cover(ellipse((0, -70 - lift), 17, 15), color, BEHIND)
        canvas.shade(ellipse((-3, -75 - lift), 8, 5), 1.2, BEHIND)
    if style.extra == "tail":
        side = person.hair.side
        tail = [(side * 0.6 * w, -52), (side * (w + 15), -34), (side * (w + 21), 10), (side * (w + 12), 66)]
        canvas.cover(ribbon(tail, (12, 18, 23, 4)), color, BEHIND)
    if style.extra == "curls":
        _paint_curls(canvas, _outer_edge(person), color)


def _back_outline(person: Person, length: float) -> np.ndarray:
    """Return the outline of long hair behind the head, float64 [num_points, 2]."""
    style, w = person.hair.style, person.face.half_width
    lift = person.hair.volume + style.lift
    steps = np.linspace(0, 1, 4)
    wave = style.wave * np.array([0, 1, -1, 1])
    x = w + 4 + 0.4 * lift + style.spread * steps + wave
    y = 2 + (length - 8) * steps
    right = [(0, -63 - lift), (0.74 * w + 0.6 * lift, -54 - 0.6 * lift), (w + 4 + 0.5 * lift, -22)]
    end = [(0.62 * (w + style.spread), length + 2), (0, length - 2)]
    return symmetric(np.concatenate([right, np.stack([x, y], 1), end]))


def _outer_edge(person: Person) -> np.ndarray:
    """Return the outer edge of the cap of hair from right to left, float64 [7, 2]."""
    style, w = person.hair.style, person.face.half_width
    lift = person.hair.volume + style.lift
    right = np.array([
        (w + 2, min(style.sides, 4)),
        (w + 3 + 0.45 * lift, -26),
        (0.72 * w + 0.6 * lift, -55 - 0.7 * lift),
        (0, -63 - lift),
    ])
    return np.concatenate([right, mirrored(right)[-2::-1]])


def _hairline(person: Person) -> np.ndarray:
    """Return the edge of the hair on the forehead from right to left, float64 [7, 2]."""
    style = person.hair.style
    right = np.array(HAIRLINES[style.hairline]) * (person.face.half_width, 1)
    right[0, 1] = min(style.sides, 4)
    right[:, 1] -= 8 * person.ageing.receding * (style.thinning is None)
    edge = np.concatenate([right, mirrored(right)[-2::-1]])
    if style.hairline == "side":
        heavy = (edge[:, 0] * person.hair.side > 0)[:, None]
        edge = edge + heavy * np.array([0.0, 6.0])
        edge[3] += (-person.hair.side * 16, -4)
    return edge


def paint_hair(canvas: Canvas, person: Person) -> None:
    """Paint the hair in front: the cap on the skull with its strands, and the locks."""
    style, color = person.hair.style, person.hair.color
    if style.hairline == "bald":
        _paint_side_patches(canvas, person)
        return
    outer, inner = _outer_edge(person), _hairline(person)
    shadow = np.concatenate([outer, inner[::-1] + (0, 4)])
    canvas.shade(loop(shadow), (0.84, 0.78, 0.76), 20.0)
    _paint_cap(canvas, outer, inner, color)
    if style.extra == "tuft":
        _paint_tuft(canvas, person)
    if style.extra == "curls":
        _paint_curls(canvas, 0.55 * outer + 0.45 * inner, color)
    if style.sides > 10:
        for side in (-1, 1):
            _paint_lock(canvas, person, side)


def _paint_cap(canvas: Canvas, outer: np.ndarray, inner: np.ndarray, color: Color) -> None:
    """Paint the cap between its outer edge and the hairline, with strands and a shine."""
    edge = np.concatenate([outer, inner[::-1]])
    depth = np.concatenate([np.zeros(len(outer)), on_face(inner[::-1])])
    outline = loop(np.column_stack([edge, depth]))
    canvas.cover(outline[:, :2], color, outline[:, 2])
    for share, factor in ((0.25, 0.88), (0.55, 1.1), (0.8, 0.84)):
        strand = outer + share * (inner - outer)
        outline = ribbon(strand, (0.8, 2, 2.4, 1.6, 2.4, 2, 0.8))
        canvas.paint(outline, times(color, factor), share * on_face(outline))
    band = (outer + 0.42 * (inner - outer))[1:-1]
    canvas.shade(ribbon(band, (1, 6, 7, 6, 1)), 1.2, 14.0)


def _paint_side_patches(canvas: Canvas, person: Person) -> None:
    """Paint what is left of the hair beside a bald top."""
    w = person.face.half_width
    patch = loop([(w + 2, -6), (w + 4, -24), (0.94 * w, -43), (0.9 * w, -30), (0.95 * w, -10)])
    for outline in (patch, mirrored(patch)):
        canvas.cover(outline, person.hair.color, 6.0)
    canvas.shade(ellipse((-10, -47), 13, 5), 1.2)


def _paint_tuft(canvas: Canvas, person: Person) -> None:
    """Paint hair that is combed up from the forehead."""
    side, lift = person.hair.side, person.hair.volume
    points = np.array([(-24, -46), (-22, -68 - lift), (8, -78 - lift), (26, -66 - lift), (24, -44), (0, -47)])
    canvas.cover(loop(points * (side, 1)), times(person.hair.color, 1.08), 16.0)
    strand = np.array([(-14, -48), (-6, -64 - lift), (14, -70 - lift)]) * (side, 1)
    canvas.paint(ribbon(strand, (1, 3, 1)), times(person.hair.color, 0.85), 16.0)


def _paint_curls(canvas: Canvas, edge: np.ndarray, color: Color) -> None:
    """Paint curls along an edge."""
    for number, (x, y) in enumerate(line(edge)[::2]):
        radius = 9 + 2 * np.sin(7 * number)
        canvas.cover(ellipse((x, y), radius, radius), times(color, 0.92 + 0.06 * (number % 3)), 4.0)
        canvas.shade(ellipse((x - 2, y - 3), 0.4 * radius, 0.4 * radius), 1.18, 4.0)


def _paint_lock(canvas: Canvas, person: Person, side: int) -> None:
    """Paint a lock that falls in front of an ear."""
    style, w = person.hair.style, person.face.half_width
    end, wave = style.sides, style.wave
    points = [
        (side * 0.84 * w, -38),
        (side * (w + 1), -12),
        (side * (w + 3 + wave), 0.45 * end),
        (side * (w + 1 + 0.4 * style.spread - wave), end),
        (side * (w - 3 + 0.5 * style.spread), end + 14),
    ]
    canvas.cover(ribbon(points, (5, 13, 15, 13, 3)), person.hair.color, 8.0)
    strand = [(x - side * 2, y) for x, y in points]
    canvas.paint(ribbon(strand, (1, 2, 2, 2, 1)), times(person.hair.color, 0.82), 8.0)
    canvas.shade(ribbon(points[1:4], (1, 5, 1)), 1.15, 8.0)

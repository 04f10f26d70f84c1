"""The room behind a person: a wall with light on it, and something that stands or hangs there."""

from collections.abc import Callable

import cv2
import numpy as np

from trainable.data.faces.colors import Color, mix, times
from trainable.data.faces.curves import ellipse, ribbon
from trainable.data.faces.person import Room
from trainable.data.faces.sketch import HEIGHT, WIDTH, Picture, Pose, Sketch

SKY: Color = (196, 218, 232)
LEAF: Color = (92, 134, 92)
WOOD: Color = (120, 84, 56)
HOUSES = ((-120, -40), (-68, -86), (-22, -30), (30, -100), (76, -58))


def sketch_room(room: Room) -> Sketch:
    """Return what stands before the wall; its origin is the middle of the wall."""
    sketch = Sketch(rounded=False)
    ROOMS[room.kind](sketch, room)
    return sketch


def paint_room(picture: Picture, room: Room, sketch: Sketch, pose: Pose) -> None:
    """Paint a room over the whole picture, out of focus.

    Args:
        picture: Where to.
        room: Which room.
        sketch: The same room from ``sketch_room``.
        pose: How the middle of the wall is seen.
    """
    wall = np.array([[times(room.wall, 1.06), room.wall], [room.wall, times(room.wall, 0.86)]])
    size = (WIDTH, HEIGHT)
    cv2.resize(wall.astype(np.uint8), size, picture.colors, interpolation=cv2.INTER_LINEAR)
    sketch.draw(picture, pose)
    cv2.blur(picture.colors, (7, 7), picture.colors)


def _box(left: float, top: float, right: float, bottom: float) -> np.ndarray:
    """Return a rectangle's corners, float64 [4, 2]."""
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)], float)


def _add_plain(sketch: Sketch, room: Room) -> None:
    """Add a lower half of the wall in another colour."""
    sketch.paint(_box(-200, 55, 200, 300), mix(room.wall, room.accent, 0.35))


def _add_window(sketch: Sketch, room: Room) -> None:
    """Add a window with a view of the sky, and a curtain."""
    sketch.paint(_box(-104, -125, -16, 30), times(room.wall, 1.15))
    for left in (-98, -57):
        sketch.paint(_box(left, -119, left + 35, -52), times(SKY, 1.05))
        sketch.paint(_box(left, -46, left + 35, 24), (190, 214, 214))
    sketch.paint(_box(46, -110, 110, 140), mix(room.accent, room.wall, 0.4))


def _add_shelf(sketch: Sketch, room: Room) -> None:
    """Add shelves with books."""
    board = times(mix(room.wall, WOOD, 0.6), 0.95)
    for row, top in enumerate((-116, -44, 28)):
        for book in range(9):
            left = -100 + 23 * book + 5 * ((3 * book + row) % 3)
            height = 38 + 9 * ((2 * book + row) % 3)
            share = ((5 * book + 3 * row) % 7) / 6
            color = mix(room.accent, times(room.wall, 0.7), share)
            sketch.paint(_box(left, top + 56 - height, left + 14, top + 56), color)
        sketch.paint(_box(-200, top + 56, 200, top + 62), board)


def _add_dots(sketch: Sketch, room: Room) -> None:
    """Add lights far out of focus, at night."""
    sketch.paint(_box(-200, -200, 200, 300), times(room.wall, 0.62))
    for number in range(13):
        angle, distance = 2.4 * number, 28 * np.sqrt(number + 3)
        center = (distance * np.cos(angle), distance * np.sin(angle) - 10)
        color = mix(room.accent, (255, 226, 170), (number % 4) / 3)
        sketch.paint(ellipse(center, 11 + number % 5, 11 + number % 5), times(color, 0.9))


def _add_plant(sketch: Sketch, room: Room) -> None:
    """Add a plant at the side and a framed picture on the wall."""
    sketch.paint(_box(-92, -96, -38, -34), times(room.wall, 1.2))
    sketch.paint(_box(-86, -90, -44, -40), room.accent)
    for number in range(7):
        side, y = (-1) ** number, 20 - 22 * number
        tip = (84 - 11 * (number % 3) + 26 * side, y - 26)
        leaf = ribbon([(86, y + 30), (tip[0] - 16 * side, y - 18), tip], (2, 16, 1))
        sketch.paint(leaf, times(LEAF, 0.8 + 0.07 * number))


def _add_street(sketch: Sketch, room: Room) -> None:
    """Add houses beneath the sky."""
    sketch.paint(_box(-200, -200, 200, 300), SKY)
    for number, (left, top) in enumerate(HOUSES):
        color = times(mix(room.wall, room.accent, number / 5), 0.9)
        sketch.paint(_box(left, top, left + 52, 300), color)
        for window in range(6):
            x, y = left + 9 + 20 * (window % 2), top + 14 + 28 * (window // 2)
            sketch.paint(_box(x, y, x + 11, y + 15), times(color, 0.76))


ROOMS: dict[str, Callable[[Sketch, Room], None]] = {
    "plain": _add_plain,
    "window": _add_window,
    "shelf": _add_shelf,
    "dots": _add_dots,
    "plant": _add_plant,
    "street": _add_street,
}

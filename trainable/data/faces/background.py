"""The room behind a person: a wall with light on it, and something that stands or hangs there."""

from collections.abc import Callable

import cv2
import numpy as np

from trainable.data.faces.canvas import HEIGHT, WIDTH, Canvas
from trainable.data.faces.colors import Color, mix, times
from trainable.data.faces.curves import ellipse, ribbon
from trainable.data.faces.person import Room


def paint_background(canvas: Canvas, room: Room) -> None:
    """Paint the room over the whole picture, out of focus.

    Args:
        canvas: Where to, in a pose whose origin is the middle of the wall.
        room: What to paint.
    """
    corners = np.array([[times(room.wall, 1.06), room.wall], [room.wall, times(room.wall, 0.86)]])
    size = (WIDTH, HEIGHT)
    canvas.image[:] = cv2.resize(corners, size, interpolation=cv2.INTER_LINEAR).astype(np.uint8)
    PAINTERS[room.kind](canvas, room)
    cv2.blur(canvas.image, (7, 7), dst=canvas.image)


def _box(left: float, top: float, right: float, bottom: float) -> np.ndarray:
    """Return a rectangle's corners, float64 [4, 2]."""
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)])


def _paint_plain(canvas: Canvas, room: Room) -> None:
    """Paint a wall in two colours."""
    canvas.paint(_box(-200, 55, 200, 300), mix(room.wall, room.accent, 0.35), 0.0)


def _paint_window(canvas: Canvas, room: Room) -> None:
    """Paint a window with a view of the sky."""
    frame = times(room.wall, 1.15)
    canvas.paint(_box(-104, -125, -16, 30), frame, 0.0)
    for left in (-98, -57):
        canvas.paint(_box(left, -119, left + 35, -52), (206, 228, 242), 0.0)
        canvas.paint(_box(left, -46, left + 35, 24), (190, 214, 214), 0.0)
    canvas.paint(_box(46, -110, 110, 140), mix(room.accent, room.wall, 0.4), 0.0)


def _paint_shelf(canvas: Canvas, room: Room) -> None:
    """Paint shelves with books."""
    board = times(mix(room.wall, (120, 84, 56), 0.6), 0.95)
    for row, top in enumerate((-116, -44, 28)):
        for book in range(11):
            left = -112 + 21 * book + 5 * ((3 * book + row) % 3)
            height = 38 + 9 * ((2 * book + row) % 3)
            share = ((5 * book + 3 * row) % 7) / 6
            color = mix(room.accent, times(room.wall, 0.7), share)
            canvas.paint(_box(left, top + 56 - height, left + 13, top + 56), color, 0.0)
        canvas.paint(_box(-200, top + 56, 200, top + 62), board, 0.0)


def _paint_dots(canvas: Canvas, room: Room) -> None:
    """Paint lights far out of focus."""
    canvas.paint(_box(-200, -200, 200, 300), times(room.wall, 0.62), 0.0)
    for number in range(13):
        angle, radius = 2.4 * number, 28 * np.sqrt(number + 3)
        color = mix(room.accent, (255, 226, 170), (number % 4) / 3)
        center = (radius * np.cos(angle), radius * np.sin(angle) - 10)
        canvas.paint(ellipse(center, 11 + number % 5, 11 + number % 5), times(color, 0.9), 0.0)


def _paint_plant(canvas: Canvas, room: Room) -> None:
    """Paint a plant at the side and a picture on the wall."""
    canvas.paint(_box(-92, -96, -38, -34), times(room.wall, 1.2), 0.0)
    canvas.paint(_box(-86, -90, -44, -40), room.accent, 0.0)
    leaf: Color = (92, 134, 92)
    for number in range(7):
        x, y = 84 - 11 * (number % 3), 20 - 22 * number
        tip = (x + 26 * (-1) ** number, y - 26)
        middle = (x + 10 * (-1) ** number, y - 18)
        canvas.paint(
            ribbon([(86, y + 30), middle, tip], (2, 16, 1)), times(leaf, 0.8 + 0.07 * number), 0.0
        )


def _paint_street(canvas: Canvas, room: Room) -> None:
    """Paint houses beneath the sky."""
    canvas.paint(_box(-200, -200, 200, 300), (196, 218, 232), 0.0)
    for number, (left, top) in enumerate(((-120, -40), (-68, -86), (-22, -30), (30, -100), (76, -58))):
        color = mix(room.wall, room.accent, number / 5)
        canvas.paint(_box(left, top, left + 52, 300), times(color, 0.9), 0.0)
        for window in range(8):
            x, y = left + 9 + 20 * (window % 2), top + 14 + 28 * (window // 2)
            canvas.paint(_box(x, y, x + 11, y + 15), times(color, 0.68), 0.0)


PAINTERS: dict[str, Callable[[Canvas, Room], None]] = {
    "plain": _paint_plain,
    "window": _paint_window,
    "shelf": _paint_shelf,
    "dots": _paint_dots,
    "plant": _paint_plant,
    "street": _paint_street,
}

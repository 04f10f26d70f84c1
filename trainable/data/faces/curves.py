"""Smooth curves and ribbons through a few control points, as polygons to be filled.

Control points and curves are float arrays [num_points, 2] of (x, y), y pointing down. The curves
are uniform Catmull-Rom splines. They are linear in their control points, so that a spline is one
product with a matrix that depends on the number of points only and is kept.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np

STEPS = 5
Points = np.ndarray | Sequence[tuple[float, float]]

_CATMULL_ROM = 0.5 * np.array([[0, 2, 0, 0], [-1, 0, 1, 0], [2, -5, 4, -1], [-1, 3, -3, 1]])


@cache
def _spline(num_points: int, *, closed: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return two matrices [num_samples, num_points]: of the curve's points and its directions."""
    t = np.append(np.arange(STEPS) / STEPS, 1.0)
    powers = np.stack([t**0, t, t**2, t**3], 1) @ _CATMULL_ROM
    slopes = np.stack([0 * t, t**0, 2 * t, 3 * t**2], 1) @ _CATMULL_ROM
    num_segments = num_points if closed else num_points - 1
    place = np.zeros((num_segments * STEPS + 1, num_points))
    slope = np.zeros_like(place)
    for segment in range(num_segments):
        rows = slice(segment * STEPS, (segment + 1) * STEPS + 1)
        place[rows], slope[rows] = 0, 0
        for column, point in enumerate(range(segment - 1, segment + 3)):
            index = point % num_points if closed else min(max(point, 0), num_points - 1)
            place[rows, index] += powers[:, column]
            slope[rows, index] += slopes[:, column]
    return (place[:-1], slope[:-1]) if closed else (place, slope)


def loop(points: Points) -> np.ndarray:
    """Return the closed smooth curve through points, float64 [5 * num_points, 2]."""
    control = np.asarray(points)
    curve: np.ndarray = _spline(len(control), closed=True)[0] @ control
    return curve


def line(points: Points) -> np.ndarray:
    """Return the open smooth curve through points, float64 [5 * (num_points - 1) + 1, 2].

    Example:
        >>> line([(0, 0), (10, 0)])[[0, -1]].tolist()
        [[0.0, 0.0], [10.0, 0.0]]
    """
    control = np.asarray(points)
    curve: np.ndarray = _spline(len(control), closed=False)[0] @ control
    return curve


def ribbon(points: Points, widths: Sequence[float]) -> np.ndarray:
    """Return the outline of a smooth line whose width varies along it.

    Args:
        points: Points that the middle of the line goes through.
        widths: Width at each of these points.

    Returns:
        Closed polygon, float64 [num_samples, 2].
    """
    control = np.ascontiguousarray(points, float).view(complex)[:, 0]
    place, slope = _spline(len(control), closed=False)
    middle, direction = place @ control, slope @ control
    reach = direction * (0.5j * (place @ np.asarray(widths)) / (np.abs(direction) + 1e-6))
    outline = np.concatenate([middle + reach, (middle - reach)[::-1]])
    return outline.view(float).reshape(-1, 2)


def symmetric(right: Points) -> np.ndarray:
    """Return a left-right symmetric closed curve from its right half.

    Args:
        right: Control points from top to bottom; the first and the last lie on the axis x = 0.
    """
    half = np.asarray(right, float)
    return loop(np.concatenate([half, mirrored(half[-2:0:-1])]))


def mirrored(points: np.ndarray) -> np.ndarray:
    """Return the points on the other side of the axis x = 0."""
    return points * (-1.0, 1.0)


def moved(points: np.ndarray, x: float, y: float) -> np.ndarray:
    """Return the points moved to the right by x and down by y."""
    return np.asarray(points + np.array([x, y]))


_ANGLES = np.linspace(0, 2 * np.pi, 24, endpoint=False)
_CIRCLE = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], 1)


def ellipse(center: tuple[float, float], radius_x: float, radius_y: float) -> np.ndarray:
    """Return an upright ellipse, float64 [24, 2]."""
    return _CIRCLE * (radius_x, radius_y) + center

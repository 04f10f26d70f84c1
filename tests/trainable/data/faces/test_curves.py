import numpy as np
import pytest

from trainable.data.faces.curves import line, loop, ribbon, symmetric
from trainable.data.faces.sketch import FIXED_POINT_BITS, Picture, Pose, Sketch

SQUARE = np.array([(-10.0, -10), (10, -10), (10, 10), (-10, 10)])


def test_curves_go_through_their_points():
    points = [(0, 0), (10, 5), (20, -5), (30, 0)]
    assert line(points)[::5] == pytest.approx(np.array(points))
    assert loop(points)[::5] == pytest.approx(np.array(points))


def test_a_straight_ribbon_is_as_wide_as_said():
    outline = ribbon([(0, 0), (10, 0), (20, 0)], (4, 4, 4))
    assert outline[:, 1].min() == pytest.approx(-2)
    assert outline[:, 1].max() == pytest.approx(2)


def test_a_symmetric_outline_is_its_own_mirror_image():
    outline = symmetric([(0, -10), (8, 0), (0, 12)])
    mirrored = {(round(-x, 9) + 0.0, round(y, 9)) for x, y in outline}
    assert {(round(x, 9) + 0.0, round(y, 9)) for x, y in outline} == mirrored


def test_a_pose_places_and_turns_what_is_sketched():
    place = np.array([10.0, 0, 0, 1]) @ Pose((96, 128), 2, roll=np.pi / 2).projection
    assert place / 2**FIXED_POINT_BITS == pytest.approx([96, 148])


def test_what_is_in_front_moves_further_when_the_head_turns():
    def leftmost(lift: float) -> int:
        sketch, picture = Sketch(rounded=False), Picture()
        sketch.paint(SQUARE, (255, 255, 255), lift)
        sketch.draw(picture, Pose((96, 128), yaw=0.3))
        return int(np.flatnonzero(picture.colors[128].any(1))[0])

    assert leftmost(40) > leftmost(0)


def test_painting_leaves_the_light_and_covering_resets_it():
    sketch, picture = Sketch(), Picture()
    sketch.shade(SQUARE, 0.5)
    sketch.paint(SQUARE, (1, 2, 3))
    sketch.draw(picture, Pose((96, 128)))
    assert picture.light[64, 48].tolist() == [80, 80, 80]
    covered = Sketch()
    covered.cover(SQUARE, (4, 5, 6))
    covered.draw(picture, Pose((96, 128)))
    assert picture.light[64, 48].tolist() == [160, 160, 160]
    assert picture.colors[128, 96].tolist() == [4, 5, 6]

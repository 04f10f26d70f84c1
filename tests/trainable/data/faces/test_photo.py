import numpy as np
import pytest

from trainable.data.decode import decode_image
from trainable.data.faces.background import ROOMS
from trainable.data.faces.body import NECKLINES
from trainable.data.faces.glasses import RIMS
from trainable.data.faces.hairstyles import HAIR_STYLES, HAIRLINES
from trainable.data.faces.people import FRAMES, ROOM_KINDS, draw_person
from trainable.data.faces.people import NECKLINES as WORN_NECKLINES
from trainable.data.faces.photo import draw_photo, encode_photo
from trainable.data.faces.shot import PHOTOS, draw_shot


def test_the_same_photo_is_the_same_bits_whatever_was_drawn_before():
    first = encode_photo(draw_person(0, 5), 2)
    for number in range(3):
        draw_photo(draw_person(9, number), 6)
    assert encode_photo(draw_person(0, 5), 2) == first


def test_photos_of_a_person_differ_from_each_other():
    person = draw_person(0, 5)
    photos = [draw_photo(person, number) for number in range(7)]
    shapes = {photo.shape for photo in photos}
    assert shapes == {(256, 192, 3)}
    assert len({photo.tobytes() for photo in photos}) == 7


def test_photos_of_others_differ_more_than_photos_of_the_same_person():
    def distance(a: np.ndarray, b: np.ndarray) -> float:
        return float(np.abs(a.astype(int) - b).mean())

    people = [[draw_photo(draw_person(0, number), k) for k in (0, 6)] for number in range(6)]
    same = np.mean([distance(a, b) for a, b in people])
    others = np.mean([distance(people[i][0], people[i - 1][1]) for i in range(6)])
    assert others > 1.2 * same


def test_the_mask_is_worn_as_the_name_of_the_photo_says():
    people = [draw_person(0, number) for number in range(80)]
    masks = {name: [draw_shot(p, k).mask for p in people] for k, name in enumerate(PHOTOS)}
    assert all(mask is None for mask in masks["normal"])
    assert {mask.worn for mask in masks["incorrect_mask"] if mask} == {"below_nose", "chin", "ear"}
    assert all(mask is not None and mask.worn == "on" for mask in masks["mask3"])
    assert len({mask.kind for mask in masks["mask1"] if mask}) == 4


def test_more_difficulty_makes_photos_rougher():
    def noise(difficulty: float) -> float:
        shots = [draw_shot(draw_person(0, n, difficulty), k) for n in range(10) for k in range(7)]
        return float(np.mean([shot.camera.noise for shot in shots]))

    assert noise(0) == 0
    assert noise(2) == pytest.approx(2 * noise(1))
    assert (draw_photo(draw_person(0, 1, 0), 6) != draw_photo(draw_person(0, 1, 1), 6)).any()


def test_a_quarter_of_a_photo_is_64x48():
    small = decode_image(encode_photo(draw_person(0, 0), 6), (64, 48))
    large = draw_photo(draw_person(0, 0), 6)
    averaged = large.reshape(64, 4, 48, 4, 3).mean((1, 3))
    assert np.abs(small - averaged).mean() < 3


def test_everything_a_person_may_have_can_be_drawn():
    assert set(ROOM_KINDS) == set(ROOMS)
    assert set(WORN_NECKLINES) == set(NECKLINES)
    assert set(FRAMES) == set(RIMS)
    assert {style.hairline for style in HAIR_STYLES} <= set(HAIRLINES) | {"bald"}

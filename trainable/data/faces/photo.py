"""Takes a photo of a drawn person: paints it back to front, then light, lens, sensor and JPEG."""

from dataclasses import dataclass
from functools import cache, lru_cache

import cv2
import numpy as np

from trainable.data.faces.background import paint_room, sketch_room
from trainable.data.faces.body import sketch_body
from trainable.data.faces.features import add_beard, add_eyes, add_mouth, add_nose
from trainable.data.faces.glasses import add_glasses
from trainable.data.faces.hair import add_hair, sketch_hair_behind
from trainable.data.faces.head import add_head, add_roundness, add_skin
from trainable.data.faces.masks import add_mask
from trainable.data.faces.person import Person
from trainable.data.faces.shot import Camera, Shot, draw_shot
from trainable.data.faces.sketch import HEIGHT, NEUTRAL, WIDTH, Picture, Pose, Sketch

NOISE_MARGIN, NOISE_SPREAD = 64, 32
LIGHT_UNIT = 128
SHARP = 0.3


def draw_photo(person: Person, photo: int) -> np.ndarray:
    """Draw one photo of a person: the same bits for the same arguments.

    Args:
        person: Who is in the photo, from ``people.draw_person``.
        photo: Number of the photo, a position in ``PHOTOS``.

    Returns:
        The picture before JPEG compression, uint8 [256, 192, 3], red green blue.
    """
    return render(person, draw_shot(person, photo))


def encode_photo(person: Person, photo: int) -> bytes:
    """Draw one photo of a person as a JPEG file with the photo's own quality."""
    shot = draw_shot(person, photo)
    picture = cv2.cvtColor(render(person, shot), cv2.COLOR_RGB2BGR)
    _, encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, shot.camera.quality])
    return bytes(encoded)


def render(person: Person, shot: Shot) -> np.ndarray:
    """Paint a person as seen in a shot, uint8 [256, 192, 3], red green blue."""
    picture, fixed = Picture(), _fixed_sketches(person)
    x, y = shot.body.center
    wall = Pose((0.5 * x + 48, 0.5 * y + 70), 0.5 + 0.5 * shot.body.scale)
    paint_room(picture, person.room, fixed.room, wall)
    fixed.behind.draw(picture, shot.head)
    fixed.body.draw(picture, shot.body)
    for sketch in (fixed.head, _light_sketch(person, shot), fixed.skin):
        sketch.draw(picture, shot.head)
    _face_sketch(person, shot).draw(picture, shot.head)
    fixed.front.draw(picture, shot.head)
    if shot.mask is not None and shot.mask.worn == "ear":
        hanging = Sketch()
        add_mask(hanging, person, shot.mask)
        hanging.draw(picture, shot.head)
    return _exposed(picture, shot.camera)


@dataclass(frozen=True)
class _FixedSketches:
    """What is the same in all photos of a person but for the pose, from back to front."""

    room: Sketch
    behind: Sketch
    body: Sketch
    head: Sketch
    skin: Sketch
    front: Sketch


@lru_cache(maxsize=64)
def _fixed_sketches(person: Person) -> _FixedSketches:
    """Sketch a person once for all photos, which are drawn one after another."""
    head, skin, front = Sketch(), Sketch(), Sketch()
    add_head(head, person)
    add_skin(skin, person)
    add_glasses(front, person)
    add_hair(front, person)
    room, behind = sketch_room(person.room), sketch_hair_behind(person)
    return _FixedSketches(room, behind, sketch_body(person), head, skin, front)


def _light_sketch(person: Person, shot: Shot) -> Sketch:
    """Sketch the shading of the face in the light of a shot."""
    sketch = Sketch()
    add_roundness(sketch, person, shot.camera.light_side)
    return sketch


def _face_sketch(person: Person, shot: Shot) -> Sketch:
    """Sketch the features of the face in a shot, and the mask over them."""
    sketch = Sketch()
    add_nose(sketch, person.face, shot.camera.light_side)
    add_eyes(sketch, person, shot.expression)
    add_beard(sketch, person)
    if shot.mask is None or shot.mask.worn != "on":
        add_mouth(sketch, person.face, shot.expression)
    if shot.mask is not None and shot.mask.worn != "ear":
        add_mask(sketch, person, shot.mask)
    return sketch


def _exposed(picture: Picture, camera: Camera) -> np.ndarray:
    """Return the picture in its light, through the lens, on the sensor."""
    height, width = picture.light.shape[:2]
    falloff = np.clip(camera.light() * LIGHT_UNIT, 0, 255).astype(np.uint8)
    falloff = cv2.resize(falloff, (width, height), interpolation=cv2.INTER_LINEAR)
    light = cv2.GaussianBlur(picture.light, (5, 5), 0)
    light = cv2.multiply(light, falloff, scale=1 / LIGHT_UNIT)
    light = cv2.resize(light, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
    lit = cv2.multiply(picture.colors, light, scale=1 / NEUTRAL)
    if camera.blur > SHARP:
        lit = cv2.GaussianBlur(lit, (0, 0), camera.blur)
    return _with_noise(lit, camera)


def _with_noise(picture: np.ndarray, camera: Camera) -> np.ndarray:
    """Add a piece of the sensor's noise."""
    left, top = camera.noise_offset
    noise = _noise_bank()[top : top + HEIGHT, left : left + WIDTH]
    strength = camera.noise / NOISE_SPREAD
    return np.asarray(cv2.addWeighted(picture, 1.0, noise, strength, -128 * strength))


@cache
def _noise_bank() -> np.ndarray:
    """Return noise around 128, half of it coarse, uint8 [HEIGHT + 64, WIDTH + 64, 3]."""
    rng = np.random.default_rng(0)
    height, width = HEIGHT + NOISE_MARGIN, WIDTH + NOISE_MARGIN
    fine = rng.standard_normal((height, width, 3), np.float32)
    grains = rng.standard_normal((height // 4, width // 4, 3), np.float32)
    coarse = cv2.resize(grains, (width, height), interpolation=cv2.INTER_CUBIC)
    noise = 128 + NOISE_SPREAD * np.sqrt(0.5) * (fine + coarse)
    return np.asarray(np.clip(noise, 0, 255).astype(np.uint8))

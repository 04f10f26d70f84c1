"""Takes a photo of a drawn person: paints it back to front, then light, lens, sensor and JPEG."""

from functools import cache

import cv2
import numpy as np

from trainable.data.faces.background import paint_background
from trainable.data.faces.body import paint_body
from trainable.data.faces.canvas import HEIGHT, NEUTRAL, WIDTH, Canvas, Pose
from trainable.data.faces.features import paint_beard, paint_eyes, paint_mouth, paint_nose
from trainable.data.faces.glasses import paint_glasses
from trainable.data.faces.hair import paint_hair, paint_hair_behind
from trainable.data.faces.head import paint_head
from trainable.data.faces.masks import paint_mask
from trainable.data.faces.person import Person
from trainable.data.faces.shot import Camera, Shot, draw_shot

NOISE_MARGIN = 64
LIGHT_UNIT = 128


def draw_photo(person: Person, photo: int) -> np.ndarray:
    """Draw one photo of a person: the same bits for the same arguments.

    Args:
        person: Who is in the photo, from ``draw_person``.
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
    return encoded.tobytes()


def render(person: Person, shot: Shot) -> np.ndarray:
    """Paint a person as seen in a shot, uint8 [256, 192, 3], red green blue."""
    canvas = Canvas.blank(shot.head)
    _paint_scene(canvas, person, shot)
    return _expose(canvas, shot.camera)


def _paint_scene(canvas: Canvas, person: Person, shot: Shot) -> None:
    """Paint everything, back to front."""
    x, y = shot.body.center
    wall = Pose((0.5 * x + 48, 0.5 * y + 70), 0.5 + 0.5 * shot.body.scale)
    light_side = shot.camera.light_side
    paint_background(canvas.posed(wall), person.room)
    paint_hair_behind(canvas, person)
    paint_body(canvas.posed(shot.body), person)
    paint_head(canvas, person, light_side)
    paint_nose(canvas, person.face, light_side)
    paint_eyes(canvas, person, shot.expression)
    paint_beard(canvas, person)
    paint_mouth(canvas, person.face, shot.expression)
    if shot.mask is not None:
        paint_mask(canvas, person, shot.mask)
    paint_glasses(canvas, person)
    paint_hair(canvas, person)


def _expose(canvas: Canvas, camera: Camera) -> np.ndarray:
    """Return the picture under its light, through its lens, on its sensor."""
    height, width = canvas.light.shape[:2]
    falloff = np.clip(camera.light * LIGHT_UNIT, 0, 255).astype(np.uint8)
    falloff = cv2.resize(falloff, (width, height), interpolation=cv2.INTER_LINEAR)
    light = cv2.GaussianBlur(canvas.light, (5, 5), 0)
    light = cv2.multiply(light, falloff, scale=1 / LIGHT_UNIT)
    light = cv2.resize(light, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
    picture = cv2.multiply(canvas.image, light, scale=1 / NEUTRAL)
    if camera.blur > 0.3:
        picture = cv2.GaussianBlur(picture, (0, 0), camera.blur)
    return _with_noise(picture, camera)


def _with_noise(picture: np.ndarray, camera: Camera) -> np.ndarray:
    """Add a piece of the sensor's noise."""
    top, left = camera.noise_offset
    noise = _noise_bank()[top : top + HEIGHT, left : left + WIDTH]
    strength = camera.noise / 32
    noisy: np.ndarray = cv2.addWeighted(picture, 1.0, noise, strength, -128 * strength)
    return noisy


@cache
def _noise_bank() -> np.ndarray:
    """Return noise around 128 with a spread of 32, half of it coarse, uint8, [320, 256, 3]."""
    rng = np.random.default_rng(0)
    shape = (HEIGHT + NOISE_MARGIN, WIDTH + NOISE_MARGIN, 3)
    fine = rng.standard_normal(shape, np.float32)
    coarse = rng.standard_normal((shape[0] // 4, shape[1] // 4, 3), np.float32)
    coarse = cv2.resize(coarse, shape[1::-1], interpolation=cv2.INTER_CUBIC)
    return np.clip(128 + 22 * (fine + coarse), 0, 255).astype(np.uint8)

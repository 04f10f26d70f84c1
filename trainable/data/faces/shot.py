"""What differs from photo to photo of a person: the mask, pose, expression, light and camera."""

from dataclasses import dataclass

import numpy as np

from trainable.data.faces import colors
from trainable.data.faces.colors import Color
from trainable.data.faces.draws import cut, near, pick
from trainable.data.faces.person import Person
from trainable.data.faces.sketch import Pose

KINDS = {"surgical": 0.35, "beak": 0.3, "cup": 0.15, "cloth": 0.2}
PATTERNS = {"plain": 0.76, "dots": 0.12, "stripes": 0.12}
MISTAKES = {"below_nose": 0.55, "chin": 0.4, "ear": 0.05}
PHOTOS = ("mask1", "mask2", "mask3", "mask4", "mask5", "incorrect_mask", "normal")


@dataclass(frozen=True)
class Mask:
    """A mask and how it is worn.

    Args:
        kind: Its cut: surgical, beak, cup or cloth.
        pattern: plain, dots or stripes.
        color: Main colour.
        trim: Colour of pattern and seams.
        worn: on, below_nose, chin or ear.
        slip: How far it sits below its proper place, in units of the sketch.
    """

    kind: str
    pattern: str
    color: Color
    trim: Color
    worn: str
    slip: float


@dataclass(frozen=True)
class Expression:
    """What the face does at the moment."""

    smile: float
    mouth_open: float
    eyes_open: float
    gaze: tuple[float, float]


@dataclass(frozen=True)
class Camera:
    """Light and camera.

    Args:
        exposure: Logarithm of the light's factor.
        warmth: How much redder than white the light is, as a share.
        across: How the logarithm of the light changes from the middle to the right edge.
        down: How the logarithm of the light changes from the middle to the upper edge.
        blur: Standard deviation of the blur in pixels.
        noise: Standard deviation of the noise in grey levels.
        noise_offset: Which piece of the noise is seen, in pixels.
        quality: JPEG quality, 1 to 100.
    """

    exposure: float
    warmth: float
    across: float
    down: float
    blur: float
    noise: float
    noise_offset: tuple[int, int]
    quality: int

    @property
    def light_side(self) -> float:
        """Where the light comes from, -1 (left) to 1 (right)."""
        return cut(11 * self.across, -1, 1)

    def light(self) -> np.ndarray:
        """Return the factor of the light in the picture's four corners, float64 [2, 2, 3]."""
        slope = self.across * np.array([[-1, 1], [-1, 1]]) + self.down * np.array([[1], [-1]])
        warm = (1 + self.warmth, 1.0, 1 - self.warmth)
        factor: np.ndarray = np.exp(self.exposure + slope)[..., None] * np.array(warm)
        return factor


@dataclass(frozen=True)
class Shot:
    """One photo to be taken of a person; the mask is None where none is worn."""

    name: str
    mask: Mask | None
    head: Pose
    body: Pose
    expression: Expression
    camera: Camera


def draw_shot(person: Person, photo: int) -> Shot:
    """Draw how one photo of a person is taken: the same for the same person and photo.

    Args:
        person: Who is photographed.
        photo: Number of the photo, a position in PHOTOS.
    """
    rng = np.random.default_rng([person.seed, person.number, photo + 1])
    name = PHOTOS[photo]
    head, body = _draw_poses(rng, person.difficulty)
    return Shot(
        name=name,
        mask=None if name == "normal" else _draw_mask(rng, name, person.difficulty),
        head=head,
        body=body,
        expression=_draw_expression(rng),
        camera=_draw_camera(rng, person.difficulty),
    )


def _draw_mask(rng: np.random.Generator, name: str, difficulty: float) -> Mask:
    """Draw a mask and how it sits: mostly proper, or for ``incorrect_mask`` in a wrong way."""
    return Mask(
        kind=pick(rng, KINDS),
        pattern=pick(rng, PATTERNS),
        color=colors.one_of(rng, colors.MASK_COLORS, 7),
        trim=colors.one_of(rng, colors.MASK_COLORS, 7),
        worn=pick(rng, MISTAKES) if name == "incorrect_mask" else "on",
        slip=cut(0.8 * difficulty * float(rng.standard_normal()), -4, 5),
    )


def _draw_poses(rng: np.random.Generator, difficulty: float) -> tuple[Pose, Pose]:
    """Draw how the head and the body stand."""
    yaw, roll, pitch, lean, x, y, zoom = (near(rng, 0, difficulty) for _ in range(7))
    scale = 1.22 + 0.032 * zoom
    center_x, center_y = 96 + 3.2 * x, 120 + 2.8 * y
    head = Pose((center_x, center_y), scale, 0.045 * roll, 0.11 * yaw, 0.045 * pitch)
    body_center = (center_x + 3.0 * lean, center_y)
    return head, Pose(body_center, scale, 0.25 * head.roll, 0.3 * head.yaw)


def _draw_expression(rng: np.random.Generator) -> Expression:
    """Draw an expression, mostly friendly."""
    return Expression(
        smile=near(rng, 0.5, 0.4),
        mouth_open=max(0.0, near(rng, -0.2, 0.5)),
        eyes_open=near(rng, 1, 0.1),
        gaze=(near(rng, 0, 1.5), near(rng, 0, 0.5)),
    )


def _draw_camera(rng: np.random.Generator, difficulty: float) -> Camera:
    """Draw light and camera: exposure, colour temperature, a gradient, blur, noise, quality."""
    return Camera(
        exposure=near(rng, -0.06, 0.07 * difficulty),
        warmth=near(rng, 0, 0.035 * difficulty),
        across=near(rng, 0, 0.07 * difficulty),
        down=near(rng, 0, 0.04 * difficulty),
        blur=max(0.0, difficulty * near(rng, 0.3, 0.5)),
        noise=difficulty * float(rng.uniform(1, 4.5)),
        noise_offset=(int(rng.integers(64)), int(rng.integers(64))),
        quality=int(rng.integers(62, 94)),
    )

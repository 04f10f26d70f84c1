"""What differs from photo to photo of a person: the mask, pose, expression, light and camera."""

from dataclasses import dataclass

import numpy as np

from trainable.data.faces import colors
from trainable.data.faces.colors import Color
from trainable.data.faces.person import Person
from trainable.data.faces.sketch import Pose

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
        return min(1.0, max(-1.0, 9 * self.across))

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
    slip = 1.0 * difficulty * float(rng.standard_normal())
    worn = "on"
    if name == "incorrect_mask":
        worn = str(rng.choice(["below_nose", "chin", "ear"], p=(0.55, 0.4, 0.05)))
    return Mask(
        kind=str(rng.choice(["surgical", "beak", "cup", "cloth"], p=(0.35, 0.3, 0.15, 0.2))),
        pattern=str(rng.choice(["plain", "dots", "stripes"], p=(0.76, 0.12, 0.12))),
        color=colors.one_of(rng, colors.MASK_COLORS, 7),
        trim=colors.one_of(rng, colors.MASK_COLORS, 7),
        worn=worn,
        slip=float(np.clip(slip, -4, 5)),
    )


def _draw_poses(rng: np.random.Generator, difficulty: float) -> tuple[Pose, Pose]:
    """Draw how the head and the body stand."""
    yaw, roll, pitch, lean, x, y, zoom = np.clip(rng.standard_normal(7), -2.2, 2.2) * difficulty
    scale = float(np.clip(1.22 + 0.04 * zoom, 0.6, 1.6))
    center_x, center_y = 96 + 4.0 * x, 120 + 3.5 * y
    head = Pose((center_x, center_y), scale, 0.055 * roll, 0.14 * yaw, 0.055 * pitch)
    body_center = (center_x + 4.0 * lean, center_y)
    return head, Pose(body_center, scale, 0.25 * head.roll, 0.3 * head.yaw)


def _draw_expression(rng: np.random.Generator) -> Expression:
    """Draw an expression, mostly friendly."""
    return Expression(
        smile=float(np.clip(0.45 + 0.45 * rng.standard_normal(), -0.4, 1.2)),
        mouth_open=max(0.0, float(rng.normal(-0.2, 0.5))),
        eyes_open=float(np.clip(1 + 0.12 * rng.standard_normal(), 0.65, 1.2)),
        gaze=(1.5 * float(rng.standard_normal()), 0.5 * float(rng.standard_normal())),
    )


def _draw_camera(rng: np.random.Generator, difficulty: float) -> Camera:
    """Draw light and camera: exposure, colour temperature, a gradient, blur, noise, quality."""
    exposure, warmth, across, down = np.clip(rng.standard_normal(4), -2, 2) * difficulty
    return Camera(
        exposure=float(0.09 * exposure - 0.1),
        warmth=float(0.045 * warmth),
        across=float(0.09 * across),
        down=float(0.05 * down),
        blur=max(0.0, float(difficulty * rng.normal(0.4, 0.6))),
        noise=float(difficulty * rng.uniform(1, 6)),
        noise_offset=(int(rng.integers(64)), int(rng.integers(64))),
        quality=int(rng.integers(62, 94)),
    )

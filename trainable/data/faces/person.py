"""People to be drawn: who they are, and how gender and age show in their looks, with overlap."""

from dataclasses import dataclass

import numpy as np

from trainable.data.faces import colors
from trainable.data.faces.colors import Color
from trainable.data.faces.hairstyles import HAIR_STYLES, HairStyle

GENDERS = ("female", "male")
GROUP_SHARES = {
    ("female", 18, 30): 0.245,
    ("male", 18, 30): 0.205,
    ("female", 30, 60): 0.250,
    ("male", 30, 60): 0.220,
    ("female", 60, 80): 0.042,
    ("male", 60, 80): 0.038,
}
GOLDEN_RATIO = 0.6180339887498949


@dataclass(frozen=True)
class Face:
    """Shape and features of a face; lengths in units of the sketch."""

    skin: Color
    half_width: float
    jaw: float
    chin_width: float
    chin: float
    eye_distance: float
    eye_size: float
    eye_tilt: float
    eye_color: Color
    lashes: float
    eye_shadow: float
    brow_width: float
    brow_height: float
    brow_arch: float
    nose_width: float
    nose_length: float
    lip_fullness: float
    lip_color: Color
    mouth_width: float
    neck: float
    blush: float


@dataclass(frozen=True)
class Ageing:
    """What the years have done, each in [0, 1]."""

    folds: float
    forehead: float
    eye_bags: float
    sagging: float
    grey: float
    receding: float


@dataclass(frozen=True)
class Hair:
    """Hair on the head and in the face."""

    style: HairStyle
    color: Color
    volume: float
    side: int
    beard: str
    stubble: float


@dataclass(frozen=True)
class Outfit:
    """Clothes and what else a person always wears."""

    neckline: str
    cloth: Color
    trim: Color
    striped: bool
    glasses: str
    glasses_color: Color
    earrings: bool
    shoulders: float


@dataclass(frozen=True)
class Room:
    """Where a person's photos are taken."""

    kind: str
    wall: Color
    accent: Color


@dataclass(frozen=True)
class Person:
    """One drawn person.

    Args:
        seed: Seed of the data set that the person belongs to.
        number: The person's number in it.
        difficulty: How much the groups overlap and how rough the photos are; 1 is the default.
        gender: female or male.
        years: Age in years.
    """

    seed: int
    number: int
    difficulty: float
    gender: str
    years: int
    face: Face
    ageing: Ageing
    hair: Hair
    outfit: Outfit
    room: Room


class _Looks:
    """Draws how a person's gender and age show: in common and in each feature on its own."""

    def __init__(self, rng: np.random.Generator, gender: str, years: int, difficulty: float):
        self.rng = rng
        self.difficulty = difficulty
        common = rng.standard_normal(2) * difficulty
        self.manly_mean = (1.0 if gender == "male" else -1.0) + 0.18 * common[0]
        self.age_mean = years + 1.4 * common[1]

    def manly(self) -> float:
        """Return how manly one feature looks: about 1 for men and -1 for women."""
        return self.manly_mean + 0.38 * self.difficulty * float(self.rng.standard_normal())

    def aged(self, start: float, end: float) -> float:
        """Return how far a change has gone that begins at one age and is complete at another."""
        age = self.age_mean + 2.0 * self.difficulty * float(self.rng.standard_normal())
        return float(np.clip((age - start) / (end - start), 0, 1))

    def near(self, mean: float, spread: float) -> float:
        """Return a normal draw, at most two spreads from the mean."""
        return mean + spread * float(np.clip(self.rng.standard_normal(), -2, 2))

    def chance(self, probability: float) -> bool:
        """Return True with a probability."""
        return bool(self.rng.random() < probability)


def draw_person(seed: int, number: int, difficulty: float = 1.0) -> Person:
    """Draw a person: the same one for the same arguments, whoever else is drawn.

    Args:
        seed: Seed of a set of people; another seed gives other people.
        number: Number in that set, from 0. Shares of gender and age group hold for any run of
            numbers, because the groups follow a golden-ratio sequence.
        difficulty: Scales the overlap of the groups and the roughness of the photos, from 0.
    """
    gender, years = group_and_age(seed, number)
    rng = np.random.default_rng([seed, number, 0])
    looks = _Looks(rng, gender, years, difficulty)
    darkness = float(rng.beta(1.3, 2.2))
    ageing = _draw_ageing(looks, gender)
    return Person(
        seed=seed,
        number=number,
        difficulty=difficulty,
        gender=gender,
        years=years,
        face=_draw_face(looks, darkness),
        ageing=ageing,
        hair=_draw_hair(looks, ageing, darkness),
        outfit=_draw_outfit(looks),
        room=_draw_room(looks),
    )


def group_and_age(seed: int, number: int) -> tuple[str, int]:
    """Return the gender and the age in years of a person, in the proportions of GROUP_SHARES."""
    start = np.random.default_rng([seed]).random()
    place = (start + GOLDEN_RATIO * number) % 1.0
    for (gender, first, end), share in GROUP_SHARES.items():
        if place < share:
            return gender, _years(first, end, place / share)
        place -= share
    return "female", 30


def _years(first: int, end: int, share: float) -> int:
    """Return an age in a group: less often one near its limits, where no look could tell."""
    return first + int((end - first) * (0.5 + 0.5 * np.sign(2 * share - 1) * abs(2 * share - 1) ** 1.4))


def _draw_ageing(looks: _Looks, gender: str) -> Ageing:
    """Draw wrinkles, grey hair and the like for the person's age."""
    return Ageing(
        folds=looks.aged(24, 48),
        forehead=looks.aged(30, 70),
        eye_bags=looks.aged(25, 50),
        sagging=looks.aged(48, 72),
        grey=looks.aged(46, 64),
        receding=looks.aged(32, 80) if gender == "male" else 0.4 * looks.aged(50, 90),
    )


def _draw_face(looks: _Looks, darkness: float) -> Face:
    """Draw the shape of the face and its features."""
    rng = looks.rng
    skin = colors.jittered(rng, colors.skin_color(darkness), 4)
    skin = colors.mix(skin, colors.times(colors.SALLOW, 1.1 - 0.6 * darkness), 0.3 * looks.aged(24, 50))
    painted = looks.chance(float(np.clip(0.5 - 0.45 * looks.manly(), 0.02, 0.9)))
    natural = colors.mix(skin, (196, 84, 84), looks.near(0.42, 0.08))
    lipstick = colors.one_of(rng, colors.LIPSTICKS, 8)
    return Face(
        skin=skin,
        half_width=looks.near(42, 1.6) + 0.8 * looks.manly(),
        jaw=looks.near(33, 1.4) + 2.6 * looks.manly() + 2.5 * looks.aged(24, 50),
        chin_width=looks.near(14, 1.6) + 3.0 * looks.manly(),
        chin=looks.near(57, 1.8) + 1.6 * looks.manly(),
        eye_distance=looks.near(18.5, 0.8),
        eye_size=looks.near(10.4, 0.4) - 0.5 * looks.manly() - 1.3 * looks.aged(24, 50),
        eye_tilt=looks.near(0.6, 0.9),
        eye_color=colors.one_of(rng, colors.EYE_COLORS, 8),
        lashes=float(np.clip(0.5 - 0.4 * looks.manly(), 0, 1)),
        eye_shadow=0.5 * painted * float(rng.random()),
        brow_width=float(np.clip(looks.near(3.6, 0.5) + 1.0 * looks.manly(), 1.6, 7)),
        brow_height=looks.near(15.5, 1.2) - 1.3 * looks.manly(),
        brow_arch=looks.near(1.2, 0.7) - 0.9 * looks.manly(),
        nose_width=looks.near(8.2, 1.0) + 0.7 * looks.manly(),
        nose_length=looks.near(22, 1.6) + 0.6 * looks.manly(),
        lip_fullness=float(np.clip(looks.near(4.6, 0.8) - 0.8 * looks.manly(), 2.2, 8)),
        lip_color=colors.mix(natural, lipstick, 0.8) if painted else natural,
        mouth_width=looks.near(14.5, 1.2),
        neck=looks.near(21, 1.2) + 2.6 * looks.manly(),
        blush=float(np.clip(0.35 - 0.25 * looks.manly() + 0.2 * rng.standard_normal(), 0, 1)),
    )


def _draw_hair(looks: _Looks, ageing: Ageing, darkness: float) -> Hair:
    """Draw the style and the colour of the hair, and the beard."""
    rng = looks.rng
    manly = looks.manly()
    side = 1 if looks.chance(0.5) else -1
    return Hair(
        style=_draw_style(looks, manly, ageing.receding),
        color=_draw_hair_color(looks, ageing.grey, darkness),
        volume=looks.near(5, 2.2),
        side=side,
        beard=_draw_beard(looks),
        stubble=float(np.clip(0.5 * looks.manly() + 0.3 * rng.standard_normal(), 0, 1)),
    )


def _draw_style(looks: _Looks, manly: float, receding: float) -> HairStyle:
    """Draw a hair style: common ones for the gender more often, thinning ones with age."""
    share = float(1 / (1 + np.exp(-5 * manly)))
    weights = np.array([s.women + share * (s.men - s.women) for s in HAIR_STYLES])
    weights *= [1.0 if s.thinning is None else 6.0 * receding**2 for s in HAIR_STYLES]
    place = looks.rng.random() * weights.sum()
    return HAIR_STYLES[min(int(np.searchsorted(weights.cumsum(), place)), len(HAIR_STYLES) - 1)]


def _draw_hair_color(looks: _Looks, grey: float, darkness: float) -> Color:
    """Draw a hair colour: mostly natural, dark with dark skin, sometimes dyed, greying with age."""
    rng = looks.rng
    light = (1 - darkness) ** 3
    weights = np.array([0.3, 0.24, 0.3 * light, 0.25 * light, 0.35 * light, 0.05])
    name = rng.choice(list(colors.HAIR_COLORS), p=weights / weights.sum())
    dyed_over = looks.chance(0.12 if looks.manly() < 0 else 0.05)
    if name == "dyed":
        return colors.one_of(rng, colors.DYES, 10)
    color = colors.jittered(rng, colors.HAIR_COLORS[str(name)], 7)
    return colors.mix(color, colors.GREY_HAIR, 0.2 * grey if dyed_over else 0.92 * grey)


def _draw_beard(looks: _Looks) -> str:
    """Draw the kind of beard: none, moustache, goatee or full."""
    if not looks.chance(float(np.clip(0.5 * looks.manly() - 0.1, 0.004, 0.5))):
        return "none"
    return str(looks.rng.choice(["moustache", "goatee", "full"], p=(0.25, 0.3, 0.45)))


def _draw_outfit(looks: _Looks) -> Outfit:
    """Draw clothes, glasses and earrings."""
    rng = looks.rng
    manly = looks.manly() > 0
    necklines = ("crew", "v_neck", "shirt", "hoodie", "turtleneck", "scoop")
    shares = (0.3, 0.12, 0.3, 0.18, 0.08, 0.02) if manly else (0.16, 0.22, 0.1, 0.1, 0.12, 0.3)
    settled = looks.aged(22, 44)
    weights = np.array(shares) * (1.6 - 1.2 * settled, 1, 0.3 + 1.4 * settled, 1.8 - 1.5 * settled, 0.4 + 1.2 * settled, 1)
    wears_glasses = looks.chance(0.2 + 0.25 * looks.aged(35, 75))
    frames = ("round", "square", "cat", "thin")
    frame_shares = (0.25, 0.45, 0.02, 0.28) if manly else (0.35, 0.2, 0.25, 0.2)
    frame_color = colors.one_of(rng, ((40, 36, 40), (110, 66, 40), (150, 120, 70), (150, 50, 60)), 10)
    return Outfit(
        neckline=str(rng.choice(necklines, p=weights / weights.sum())),
        cloth=colors.times(colors.one_of(rng, colors.CLOTH_COLORS, 12), 1.15 - 0.4 * settled),
        trim=colors.one_of(rng, colors.CLOTH_COLORS, 12),
        striped=looks.chance(0.3),
        glasses=str(rng.choice(frames, p=frame_shares)) if wears_glasses else "none",
        glasses_color=frame_color,
        earrings=looks.chance(0.4 if looks.manly() < 0 else 0.04),
        shoulders=looks.near(74, 4) + 5 * looks.manly(),
    )


def _draw_room(looks: _Looks) -> Room:
    """Draw the background of the person's photos."""
    rng = looks.rng
    wall = colors.one_of(rng, colors.BACKGROUND_COLORS, 12)
    return Room(
        kind=str(rng.choice(["plain", "window", "shelf", "dots", "plant", "street"])),
        wall=wall,
        accent=colors.mix(colors.one_of(rng, colors.BACKGROUND_COLORS + colors.CLOTH_COLORS, 12), wall, 0.4),
    )

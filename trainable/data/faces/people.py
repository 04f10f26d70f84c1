"""Draws people: how their gender and age show in their looks, with overlap, and all the rest."""

from math import exp

import numpy as np

from trainable.data.faces import colors
from trainable.data.faces.colors import Color
from trainable.data.faces.draws import cut, near, pick
from trainable.data.faces.groups import group_and_age
from trainable.data.faces.hairstyles import HAIR_STYLES, HairStyle
from trainable.data.faces.person import Ageing, Face, Hair, Outfit, Person, Room

COMMON_MANLY, OWN_MANLY = 0.12, 0.26
COMMON_YEARS, OWN_YEARS = 1.0, 1.5
NATURAL_LIPS: Color = (196, 84, 84)
FRAME_COLORS: tuple[Color, ...] = ((40, 36, 40), (110, 66, 40), (150, 120, 70), (150, 50, 60))
ROOM_KINDS = ("plain", "window", "shelf", "dots", "plant", "street")
# Of women and of men.
NECKLINES = {
    "crew": (0.16, 0.3),
    "v_neck": (0.22, 0.12),
    "shirt": (0.1, 0.3),
    "hoodie": (0.1, 0.18),
    "turtleneck": (0.12, 0.08),
    "scoop": (0.3, 0.02),
}
FRAMES = {"round": (0.35, 0.25), "square": (0.2, 0.45), "cat": (0.25, 0.02), "thin": (0.2, 0.28)}
BEARDS = {"moustache": 0.25, "goatee": 0.3, "full": 0.45}


def draw_person(seed: int, number: int, difficulty: float = 1.0) -> Person:
    """Draw a person: the same one for the same arguments, whoever else is drawn.

    Args:
        seed: Seed of a set of people; another seed gives other people.
        number: Number in that set, from 0.
        difficulty: Scales how much the groups look alike and how rough the photos are, from 0.

    Example:
        >>> person = draw_person(seed=0, number=3)
        >>> person.gender, person.years
        ('female', 24)
    """
    gender, years = group_and_age(seed, number)
    looks = _Looks(np.random.default_rng([seed, number, 0]), gender, years, difficulty)
    darkness = float(looks.rng.beta(1.3, 2.2))
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
        room=_draw_room(looks.rng),
    )


class _Looks:
    """Draws how a person's gender and age show: in common, and in each feature on its own."""

    def __init__(
        self, rng: np.random.Generator, gender: str, years: int, difficulty: float
    ) -> None:
        self.rng = rng
        self._difficulty = difficulty
        manly, aged = (rng.standard_normal(2) * difficulty).tolist()
        self._manly: float = (1.0 if gender == "male" else -1.0) + COMMON_MANLY * manly
        self._years: float = years + COMMON_YEARS * aged

    def manly(self) -> float:
        """Return how manly one feature looks: about 1 for men and -1 for women."""
        return self._manly + OWN_MANLY * self._difficulty * self._normal()

    def aged(self, start: float, end: float) -> float:
        """Return how far a change has gone that begins at one age and is complete at another."""
        years = self._years + OWN_YEARS * self._difficulty * self._normal()
        return cut((years - start) / (end - start), 0, 1)

    def near(self, mean: float, spread: float) -> float:
        """Return a normal draw, at most two spreads from the mean."""
        return near(self.rng, mean, spread)

    def chance(self, probability: float) -> bool:
        """Return True with a probability."""
        return bool(self.rng.random() < probability)

    def _normal(self) -> float:
        return float(self.rng.standard_normal())


def _draw_ageing(looks: _Looks, gender: str) -> Ageing:
    """Draw wrinkles, grey hair and the like for the person's age."""
    return Ageing(
        folds=looks.aged(23, 40),
        forehead=looks.aged(28, 64),
        eye_bags=looks.aged(24, 42),
        sagging=looks.aged(52, 66),
        grey=looks.aged(51, 61),
        receding=looks.aged(32, 80) if gender == "male" else 0.4 * looks.aged(50, 90),
    )


def _draw_face(looks: _Looks, darkness: float) -> Face:
    """Draw the shape of the face and its features."""
    skin = _draw_skin(looks, darkness)
    painted = looks.chance(cut(0.5 - 0.45 * looks.manly(), 0.02, 0.9))
    return Face(
        skin=skin,
        half_width=looks.near(42, 1.6) + 0.8 * looks.manly(),
        jaw=looks.near(33, 1.4) + 2.6 * looks.manly() + 2.5 * looks.aged(24, 44),
        chin_width=looks.near(14, 1.6) + 3.0 * looks.manly(),
        chin=looks.near(57, 1.8) + 1.6 * looks.manly(),
        eye_distance=looks.near(18.5, 0.8),
        eye_size=looks.near(10.8, 0.4) - 0.5 * looks.manly() - 1.8 * looks.aged(24, 42),
        eye_tilt=looks.near(0.6, 0.9),
        eye_color=colors.one_of(looks.rng, colors.EYE_COLORS, 8),
        lashes=cut(0.5 - 0.4 * looks.manly(), 0, 1),
        eye_shadow=0.5 * painted * float(looks.rng.random()),
        brow_width=cut(looks.near(3.6, 0.5) + looks.manly(), 1.6, 7),
        brow_height=looks.near(15.5, 1.2) - 1.3 * looks.manly(),
        brow_arch=looks.near(1.2, 0.7) - 0.9 * looks.manly(),
        nose_width=looks.near(8.2, 1.0) + 0.7 * looks.manly(),
        nose_length=looks.near(22, 1.6) + 0.6 * looks.manly(),
        lip_fullness=cut(looks.near(4.6, 0.8) - 0.8 * looks.manly(), 2.2, 8),
        lip_color=_draw_lip_color(looks, skin, painted=painted),
        mouth_width=looks.near(14.5, 1.2),
        neck=looks.near(21, 1.2) + 2.6 * looks.manly(),
        blush=_draw_blush(looks),
    )


def _draw_skin(looks: _Looks, darkness: float) -> Color:
    """Draw a skin colour, which loses its glow with age."""
    skin = colors.jittered(looks.rng, colors.skin_color(darkness), 4)
    sallow = colors.times(colors.SALLOW, 1.1 - 0.6 * darkness)
    return colors.mix(skin, sallow, 0.5 * looks.aged(23, 42))


def _draw_blush(looks: _Looks) -> float:
    """Draw how red the cheeks are, in [0, 1]."""
    return cut(looks.near(0.55, 0.15) - 0.2 * looks.manly() - 0.5 * looks.aged(23, 42), 0, 1)


def _draw_lip_color(looks: _Looks, skin: Color, *, painted: bool) -> Color:
    """Draw the colour of the lips, painted or not."""
    natural = colors.mix(skin, NATURAL_LIPS, looks.near(0.42, 0.08))
    lipstick = colors.one_of(looks.rng, colors.LIPSTICKS, 8)
    return colors.mix(natural, lipstick, 0.8) if painted else natural


def _draw_hair(looks: _Looks, ageing: Ageing, darkness: float) -> Hair:
    """Draw the style and the colour of the hair, and the beard."""
    bearded = looks.chance(cut(0.5 * looks.manly() - 0.1, 0.004, 0.5))
    return Hair(
        style=_draw_style(looks, ageing.receding),
        color=_draw_hair_color(looks, ageing.grey, darkness),
        volume=looks.near(5, 2.2),
        side=1 if looks.chance(0.5) else -1,
        beard=pick(looks.rng, BEARDS) if bearded else "none",
        stubble=cut(0.5 * looks.manly() + looks.near(0, 0.3), 0, 1),
    )


def _draw_style(looks: _Looks, receding: float) -> HairStyle:
    """Draw a hair style: common ones for the gender more often, thinning ones with age."""
    men = 1 / (1 + exp(-6 * looks.manly()))
    weights = {s.name: s.women + men * (s.men - s.women) for s in HAIR_STYLES}
    for style in HAIR_STYLES:
        weights[style.name] *= 6 * receding**2 if style.thinning else 1
    name = pick(looks.rng, weights)
    return next(style for style in HAIR_STYLES if style.name == name)


def _draw_hair_color(looks: _Looks, grey: float, darkness: float) -> Color:
    """Draw a hair colour: dark with dark skin, sometimes dyed, greying with age."""
    light = (1 - darkness) ** 3
    fading = dict.fromkeys(colors.LIGHT_HAIR, light) | {"dyed": 1 - grey}
    shares = {name: s * fading.get(name, 1) for name, s in colors.HAIR_SHARES.items()}
    name = pick(looks.rng, shares)
    hides_grey = looks.chance(0.04 if looks.manly() < 0 else 0.02)
    if name == "dyed":
        return colors.one_of(looks.rng, colors.DYES, 10)
    color = colors.jittered(looks.rng, colors.HAIR_COLORS[name], 4)
    return colors.mix(color, colors.GREY_HAIR, grey * (0.2 if hides_grey else 0.92))


def _draw_outfit(looks: _Looks) -> Outfit:
    """Draw clothes, which are plainer and darker on older people, glasses and earrings."""
    rng = looks.rng
    man = int(looks.manly() > 0)
    settled = looks.aged(22, 38)
    wears_glasses = looks.chance(0.2 + 0.25 * looks.aged(35, 75))
    cloth = colors.one_of(rng, colors.CLOTH_COLORS, 12)
    return Outfit(
        neckline=_draw_neckline(rng, man, settled),
        cloth=colors.times(cloth, 1.1 - 0.25 * settled),
        trim=colors.one_of(rng, colors.CLOTH_COLORS, 12),
        striped=looks.chance(0.3),
        glasses=pick(rng, {f: s[man] for f, s in FRAMES.items()}) if wears_glasses else "none",
        glasses_color=colors.one_of(rng, FRAME_COLORS, 10),
        earrings=looks.chance(0.04 if looks.manly() > 0 else 0.4),
        shoulders=looks.near(74, 4) + 5 * looks.manly(),
    )


def _draw_neckline(rng: np.random.Generator, man: int, settled: float) -> str:
    """Draw a neckline: hoods and round collars for the young, shirts and high collars later."""
    fashion = {
        "crew": 1.6 - 1.2 * settled,
        "hoodie": 1.8 - 1.5 * settled,
        "shirt": 0.3 + 1.4 * settled,
        "turtleneck": 0.4 + 1.2 * settled,
    }
    return pick(rng, {n: shares[man] * fashion.get(n, 1.0) for n, shares in NECKLINES.items()})


def _draw_room(rng: np.random.Generator) -> Room:
    """Draw the background of the person's photos."""
    wall = colors.one_of(rng, colors.BACKGROUND_COLORS, 12)
    accent = colors.one_of(rng, colors.BACKGROUND_COLORS + colors.CLOTH_COLORS, 12)
    kind = ROOM_KINDS[int(rng.integers(len(ROOM_KINDS)))]
    return Room(kind, wall, colors.mix(accent, wall, 0.4))

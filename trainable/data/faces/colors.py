"""Colours as (red, green, blue) in [0, 255], how they mix, and the palettes that people use."""

import numpy as np

Color = tuple[float, float, float]

SALLOW: Color = (188, 170, 140)
SKIN_RAMP: tuple[Color, ...] = (
    (255, 226, 204),
    (246, 205, 175),
    (230, 180, 142),
    (203, 146, 104),
    (156, 102, 68),
    (104, 68, 48),
)
HAIR_COLORS: dict[str, Color] = {
    "black": (40, 36, 40),
    "dark_brown": (70, 46, 36),
    "brown": (112, 72, 46),
    "auburn": (140, 66, 40),
    "blond": (222, 184, 110),
}
HAIR_SHARES = {
    "black": 0.3,
    "dark_brown": 0.24,
    "brown": 0.3,
    "auburn": 0.25,
    "blond": 0.35,
    "dyed": 0.05,
}
LIGHT_HAIR = ("brown", "auburn", "blond")
DYES: tuple[Color, ...] = ((96, 120, 205), (214, 104, 150), (90, 168, 150), (150, 96, 190))
GREY_HAIR: Color = (206, 205, 208)
EYE_COLORS: tuple[Color, ...] = (
    (84, 54, 36),
    (58, 40, 30),
    (120, 86, 44),
    (82, 120, 84),
    (84, 124, 168),
)
CLOTH_COLORS: tuple[Color, ...] = (
    (52, 66, 98),
    (235, 232, 224),
    (44, 46, 52),
    (182, 64, 62),
    (74, 128, 112),
    (226, 178, 76),
    (128, 146, 178),
    (150, 106, 134),
    (214, 138, 110),
    (104, 112, 84),
)
BACKGROUND_COLORS: tuple[Color, ...] = (
    (222, 214, 200),
    (176, 200, 208),
    (236, 206, 180),
    (188, 206, 176),
    (206, 190, 214),
    (150, 160, 172),
    (240, 226, 190),
    (120, 142, 150),
    (228, 188, 186),
)
MASK_COLORS: tuple[Color, ...] = (
    (150, 200, 222),
    (238, 240, 240),
    (52, 54, 60),
    (232, 178, 188),
    (168, 172, 178),
    (132, 186, 160),
    (66, 84, 130),
    (240, 220, 190),
    (196, 84, 84),
)
LIPSTICKS: tuple[Color, ...] = ((190, 48, 66), (214, 92, 104), (168, 60, 88), (206, 110, 96))


def mix(first: Color, second: Color, share: float) -> Color:
    """Return the colour that lies between two others.

    Args:
        first: Colour at share 0.
        second: Colour at share 1.
        share: Where between them, in [0, 1].

    Example:
        >>> mix((0, 0, 0), (200, 100, 50), 0.5)
        (100.0, 50.0, 25.0)
    """
    return (
        first[0] + (second[0] - first[0]) * share,
        first[1] + (second[1] - first[1]) * share,
        first[2] + (second[2] - first[2]) * share,
    )


def times(color: Color, factor: float) -> Color:
    """Return the colour made darker (factor below 1) or lighter, up to 255.

    Example:
        >>> times((100, 200, 50), 1.5)
        (150.0, 255, 75.0)
    """
    return (
        min(255, color[0] * factor),
        min(255, color[1] * factor),
        min(255, color[2] * factor),
    )


def jittered(rng: np.random.Generator, color: Color, spread: float) -> Color:
    """Return a colour near another: each channel is moved by a normal draw, in [0, 255].

    Args:
        rng: Where the draw comes from.
        color: The colour in the middle.
        spread: Standard deviation in grey levels.
    """
    red, green, blue = np.clip(np.add(color, spread * rng.standard_normal(3)), 0, 255).tolist()
    return (red, green, blue)


def one_of(rng: np.random.Generator, colors: tuple[Color, ...], spread: float) -> Color:
    """Return one of the colours, each as likely, moved a little."""
    return jittered(rng, colors[int(rng.integers(len(colors)))], spread)


def skin_color(darkness: float) -> Color:
    """Return the skin colour at a place on the ramp from fair (0) to dark (1)."""
    place = float(np.clip(darkness, 0, 1)) * (len(SKIN_RAMP) - 1)
    step = min(int(place), len(SKIN_RAMP) - 2)
    return mix(SKIN_RAMP[step], SKIN_RAMP[step + 1], place - step)

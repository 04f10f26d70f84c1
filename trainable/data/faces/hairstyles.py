"""The table of hair styles: their shapes, and how common each is among women and men."""

from dataclasses import dataclass


@dataclass(frozen=True)
class HairStyle:
    """One way to wear hair; lengths in units of the sketch, a head being about 118 high.

    Args:
        name: Its name.
        women: Weight of the style among women.
        men: Weight of the style among men.
        hairline: Shape of its lower edge on the forehead, a key of HAIRLINES.
        sides: Height (y, down) to which it reaches in front of the ears.
        length: Height (y, down) of its lower end behind the head; None where it ends at the neck.
        spread: How far its lower end stands out beyond the face.
        wave: Depth of its waves.
        lift: Height of the hair above the skull, added to the person's volume.
        extra: What is added: a bun, a tail, curls, a tuft, or nothing.
        thinning: Set for styles that come with hair loss: how much of the top is bare, in [0, 1].
    """

    name: str
    women: float
    men: float
    hairline: str
    sides: float
    length: float | None = None
    spread: float = 4.0
    wave: float = 0.0
    lift: float = 0.0
    extra: str = "none"
    thinning: float | None = None


HAIR_STYLES = (
    HairStyle("crop", 3, 22, "straight", -14),
    HairStyle("side_part", 4, 22, "side", -10, lift=2),
    HairStyle("quiff", 1, 12, "high", -12, lift=7, extra="tuft"),
    HairStyle("buzz", 1, 10, "high", -14, lift=-5),
    HairStyle("fringe", 5, 12, "fringe", -8, lift=2),
    HairStyle("curls", 5, 8, "high", -10, lift=3, extra="curls"),
    HairStyle("bob", 18, 1, "fringe", 24, length=40, spread=8, lift=1),
    HairStyle("swept_bob", 13, 1, "side", 26, length=44, spread=8, lift=2),
    HairStyle("long", 15, 2, "middle", 46, length=104, spread=6),
    HairStyle("long_fringe", 11, 1, "fringe", 46, length=100, spread=5, lift=1),
    HairStyle("wavy", 14, 2, "side", 46, length=92, spread=13, wave=5, lift=3),
    HairStyle("curly", 6, 2, "middle", 40, length=66, spread=17, wave=3, lift=5, extra="curls"),
    HairStyle("ponytail", 9, 1, "high", -8, extra="tail"),
    HairStyle("bun", 9, 2, "side", -8, extra="bun"),
    HairStyle("afro", 4, 3, "straight", 4, length=12, spread=-1, lift=14, extra="curls"),
    HairStyle("receding", 0.5, 9, "receding", -14, lift=-2, thinning=0.4),
    HairStyle("bald", 0.1, 5, "bald", -16, lift=-6, thinning=1.0),
)

HAIRLINES: dict[str, tuple[tuple[float, float], ...]] = {
    "straight": ((0.97, -16), (0.88, -31), (0.5, -39), (0.0, -40)),
    "high": ((0.97, -16), (0.86, -35), (0.45, -43), (0.0, -45)),
    "fringe": ((0.97, -10), (0.8, -18), (0.42, -23), (0.0, -25)),
    "middle": ((0.97, -6), (0.9, -22), (0.62, -36), (0.0, -50)),
    "side": ((0.97, -8), (0.88, -24), (0.6, -34), (0.1, -38)),
    "receding": ((0.97, -18), (0.9, -38), (0.6, -55), (0.0, -43)),
    "bald": ((0.98, -20), (0.95, -36), (0.97, -46), (0.9, -58)),
}

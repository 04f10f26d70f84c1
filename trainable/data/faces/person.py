"""What is kept of a drawn person: who they are and how they look in every photo."""

from dataclasses import dataclass

from trainable.data.faces.colors import Color
from trainable.data.faces.hairstyles import HairStyle


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
    """Hair on the head and in the face; ``side`` is where the parting is, -1 or 1."""

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
        seed: Seed of the set of people that the person belongs to.
        number: The person's number in it.
        difficulty: How much the groups look alike and how rough the photos are; 1 is the default.
        gender: female or male.
        years: Age in years.
        face: Shape and features of the face.
        ageing: What the years have done.
        hair: Hair on the head and in the face.
        outfit: Clothes, glasses, earrings.
        room: Where the photos are taken.
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

"""Writes drawn people as photos in the layout of the mask competition."""

from functools import partial
from pathlib import Path

from trainable.data.faces.people import draw_person
from trainable.data.faces.person import Person
from trainable.data.faces.photo import encode_photo
from trainable.data.faces.shot import PHOTOS
from trainable.data.threads import in_threads

RACE = "Drawn"
DRAWING_VERSION = 2


def write_people(folder: Path, *, num_people: int, difficulty: float, seed: int) -> None:
    """Write the photos of people 0 to num_people - 1, seven each, with all cores.

    What is written depends on the arguments only, not on the number of cores.

    Args:
        folder: Where the people's folders are made; it is made, too.
        num_people: Number of people.
        difficulty: As for ``draw_person``.
        seed: As for ``draw_person``.
    """
    folder.mkdir(parents=True)
    write = partial(_write_person, folder, difficulty, seed)
    for _ in in_threads(write, range(num_people)):
        pass


def person_folder(person: Person) -> str:
    """Return the name of a person's folder.

    Example:
        >>> person_folder(draw_person(seed=0, number=7))
        '000007_female_Drawn_47'
    """
    return f"{person.number:06d}_{person.gender}_{RACE}_{person.years}"


def _write_person(folder: Path, difficulty: float, seed: int, number: int) -> None:
    person = draw_person(seed, number, difficulty)
    photos = folder / person_folder(person)
    photos.mkdir()
    for photo, name in enumerate(PHOTOS):
        (photos / f"{name}.jpg").write_bytes(encode_photo(person, photo))

"""A contact sheet of drawn people: a row a group of gender and age, a column a photo.

python -m trainable.data.faces.contact_sheet --out docs/faces.jpg
"""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from trainable.command import ArgumentParser, run_command
from trainable.data.faces.groups import GROUP_SHARES, group_and_age
from trainable.data.faces.people import draw_person
from trainable.data.faces.person import Person
from trainable.data.faces.photo import draw_photo
from trainable.data.faces.shot import PHOTOS
from trainable.errors import ConfigError, expected

CELL_HEIGHT, CELL_WIDTH = 152, 114
MARGIN, GAP, HEADER = 82, 4, 26
PAPER, INK = (250, 249, 246), (60, 58, 56)
FONT, TEXT_SCALE = cv2.FONT_HERSHEY_SIMPLEX, 0.42
TITLES = tuple(name.replace("_mask", "") for name in PHOTOS)
QUALITY = 85
SUFFIXES = (".jpg", ".jpeg", ".png")


def contact_sheet(people: Sequence[Person]) -> np.ndarray:
    """Return a sheet with a row of seven photos for each person, labelled.

    Args:
        people: Whose photos, from top to bottom.

    Returns:
        uint8 [26 + 156 * num_people, 904, 3], red green blue.
    """
    width = MARGIN + len(PHOTOS) * (CELL_WIDTH + GAP)
    sheet = np.full((HEADER + len(people) * (CELL_HEIGHT + GAP), width, 3), PAPER, np.uint8)
    for column, title in enumerate(TITLES):
        _write(sheet, title, (MARGIN + column * (CELL_WIDTH + GAP) + 4, 17))
    for row, person in enumerate(people):
        top = HEADER + row * (CELL_HEIGHT + GAP)
        _write(sheet, person.gender, (10, top + CELL_HEIGHT // 2 - 4))
        _write(sheet, f"{person.years} years", (10, top + CELL_HEIGHT // 2 + 16))
        for photo in range(len(PHOTOS)):
            left = MARGIN + photo * (CELL_WIDTH + GAP)
            cell = sheet[top : top + CELL_HEIGHT, left : left + CELL_WIDTH]
            cell[:] = _reduced(draw_photo(person, photo))
    return sheet


def one_of_each_group(seed: int, difficulty: float = 1.0) -> list[Person]:
    """Return the first person of each group of gender and age among the people of a seed."""
    found: dict[tuple[str, int], Person] = {}
    number = 0
    while len(found) < len(GROUP_SHARES):
        gender, years = group_and_age(seed, number)
        group = next(g for g in GROUP_SHARES if g[0] == gender and g[1] <= years < g[2])
        if group[:2] not in found:
            found[group[:2]] = draw_person(seed, number, difficulty)
        number += 1
    return [found[group[:2]] for group in GROUP_SHARES]


def _reduced(photo: np.ndarray) -> np.ndarray:
    size = (CELL_WIDTH, CELL_HEIGHT)
    return np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA))


def _write(sheet: np.ndarray, text: str, place: tuple[int, int]) -> None:
    cv2.putText(sheet, text, place, FONT, TEXT_SCALE, INK, 1, cv2.LINE_AA)


def main(argv: Sequence[str] | None = None) -> int:
    """Write a contact sheet as the arguments say."""
    parser = ArgumentParser("python -m trainable.data.faces.contact_sheet", __doc__)
    parser.add_argument("--out", type=Path, required=True, help="PNG or JPEG file to write")
    parser.add_argument("--seed", type=int, default=0, help="seed of the people (default: 0)")
    parser.add_argument("--difficulty", type=float, default=1.0, help="0 to 3 (default: 1)")
    options = parser.parse_args(argv)
    sheet = contact_sheet(one_of_each_group(options.seed, options.difficulty))
    _save(options.out, sheet)
    return 0


def _save(path: Path, sheet: np.ndarray) -> None:
    if path.suffix not in SUFFIXES:
        raise ConfigError(expected("--out", f"a name ending in {', '.join(SUFFIXES)}", path))
    picture = cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR)
    _, encoded = cv2.imencode(path.suffix, picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(encoded))


if __name__ == "__main__":
    raise SystemExit(run_command(main))

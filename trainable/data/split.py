"""Training, validation and test part: by person, with every class in its share."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd

from trainable.data.allot import allot
from trainable.data.index import PARTS, DataIndex
from trainable.data.problems import raise_problems
from trainable.errors import ConfigError, expected

SHARES = (0.64, 0.16, 0.20)
TRAIN, VAL, _ = PARTS
FEWEST_PEOPLE = 2
FEWEST_CLASSES = 2
GIVE_MORE = "Give more people (or images), or say yourself which are in which part."


def split_by_person(index: DataIndex, *, seed: int, shares: Sequence[float] = SHARES) -> DataIndex:
    """Return the data set with every row in a part, every person's rows in the same one.

    Parts that the data gives are respected. A validation or test part that it does not give is
    drawn from everyone who is not given to the other of the two, people given to training
    included, with the share that it has among the parts drawn; the others are for training.
    The draw depends on the seed and on who has how many images of which class, not on the order
    of the rows or the machine.

    Args:
        index: A data set; ``part`` is empty where it says nothing.
        seed: Seed of the draw, at least 0.
        shares: Shares of train, val and test in the images, all above 0.

    Raises:
        ConfigError: If a person is in two given parts, or there are too few people to draw from.
    """
    given = _given_parts(index.table)
    drawn = [TRAIN, *(part for part in PARTS[1:] if part not in set(given.values()))]
    pool = [person for person, part in given.items() if part in ("", TRAIN)]
    if len(pool) < len(drawn):
        what = f"at least {len(drawn)} people to draw {', '.join(drawn)} from"
        raise ConfigError(expected("data", what, len(pool)))
    images = images_by_class(index)
    numbers = allot(
        [images[person] for person in pool],
        [shares[PARTS.index(part)] for part in drawn],
        np.random.default_rng(seed),
    )
    part_of = given | {p: drawn[n] for p, n in zip(pool, numbers, strict=True)}
    return index.with_table(index.table.assign(part=index.table["person"].map(part_of)))


def class_counts(index: DataIndex) -> pd.DataFrame:
    """Return a row a class and the columns train, val, test: the number of images there."""
    counts = pd.crosstab(index.table["label"], index.table["part"])
    return counts.reindex(index=list(index.classes), columns=list(PARTS), fill_value=0)


def trainable_problems(index: DataIndex) -> list[str]:
    """Return a problem for each part that is too empty to be trained or validated on."""
    counts = class_counts(index)
    totals = ", ".join(f"{part} {number}" for part, number in counts.sum().items())
    problems = [
        expected("data", f"images in {part}", f"none ({totals})", GIVE_MORE)
        for part in (TRAIN, VAL)
        if counts[part].sum() == 0
    ]
    num_classes = int((counts[TRAIN] > 0).sum())
    if not problems and num_classes < FEWEST_CLASSES:
        what = f"images of at least {FEWEST_CLASSES} classes in {TRAIN}"
        problems.append(expected("data", what, num_classes, GIVE_MORE))
    return problems


def lonely_classes(index: DataIndex) -> list[str]:
    """Return a problem for each class of fewer than two people: it cannot be in two parts."""
    people = index.table.drop_duplicates(["label", "person"])["label"].value_counts()
    return [
        expected(f"class {name!r}", f"at least {FEWEST_PEOPLE} people (or images)", number)
        for name in index.classes
        if (number := int(people.get(name, 0))) < FEWEST_PEOPLE
    ]


def missing_classes(index: DataIndex, parts: Sequence[str] = PARTS) -> list[str]:
    """Return a problem for each class that has images, but none in some of the parts."""
    counts = class_counts(index)
    present = counts[counts.sum(axis=1) > 0]
    gaps = {name: [p for p in parts if row[p] == 0] for name, row in present.iterrows()}
    return [
        expected(f"class {name!r}", "images in every part", f"none in {' and '.join(missing)}")
        for name, missing in gaps.items()
        if missing
    ]


def _given_parts(table: pd.DataFrame) -> dict[str, str]:
    """Return the part of each person that the data gives, or empty text, sorted by person."""
    part_of = dict.fromkeys(sorted(table["person"].unique()), "")
    problems: list[str] = []
    pairs = table.loc[table["part"] != "", ["person", "part"]].drop_duplicates()
    for person, part in zip(pairs["person"], pairs["part"], strict=True):
        if part_of[person] not in ("", part):
            got = f"{part_of[person]} and {part}"
            problems.append(expected(f"person {person!r}", "images in one part", got))
        part_of[person] = part
    raise_problems(sorted(problems))
    return part_of


def images_by_class(index: DataIndex) -> dict[str, Counter[int]]:
    """Return how many images of each class number each person has."""
    images: dict[str, Counter[int]] = {person: Counter() for person in index.table["person"]}
    for person, label in zip(index.table["person"], index.labels().tolist(), strict=True):
        images[person][label] += 1
    return images

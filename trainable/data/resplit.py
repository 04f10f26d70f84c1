"""Other splits of a search's images, to train chosen configurations again; test stays test."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from trainable.data.allot import allot
from trainable.data.prepared import PreparedData
from trainable.data.split import TRAIN, VAL, images_by_class
from trainable.errors import ConfigError, expected


def without_validation(data: PreparedData) -> PreparedData:
    """Return the same images with those of the validation part in the training part."""
    part_N = data.index.table["part"].replace(VAL, TRAIN)
    return replace(data, index=data.index.with_table(data.index.table.assign(part=part_N)))


def person_folds(data: PreparedData, num_folds: int, *, seed: int) -> Iterator[PreparedData]:
    """Yield the same images once a fold, whose people are the validation part.

    The people of the training and the validation part are dealt out into folds of about the same
    number of images of every class. Who is in which depends on the seed and on who has how many
    images of which class, as in ``split_by_person``.

    Args:
        data: The images, each in a part.
        num_folds: How many folds, at least 2.
        seed: Seed of the draw, at least 0.

    Raises:
        ConfigError: If there are fewer people than folds.
    """
    table = data.index.table
    images = images_by_class(data.index)
    people = sorted(table.loc[table["part"].isin((TRAIN, VAL)), "person"].unique())
    if len(people) < num_folds:
        raise ConfigError(expected("--folds", f"at most {len(people)}, one a person", num_folds))
    fold_P = allot([images[p] for p in people], [1.0] * num_folds, np.random.default_rng(seed))
    for number in range(num_folds):
        part_of = {
            p: VAL if fold == number else TRAIN for p, fold in zip(people, fold_P, strict=True)
        }
        part_N = table["person"].map(part_of).fillna(table["part"])
        yield replace(data, index=data.index.with_table(table.assign(part=part_N)))

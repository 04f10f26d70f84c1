"""People dealt out into folds, and drawn again for intervals."""

from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from analysis.estimates.labelled import Labelled


def resample_weights(images: Labelled, *, num_resamples: int, seed: int) -> np.ndarray:
    """Return how often each person is drawn in each resample of the people.

    People are drawn and not images, since photos of one person are right or wrong together; and
    from all people, not group by group: with a handful of old people that makes intervals too
    narrow (84 % instead of 90 % in the simulation of the tests).

    Args:
        images: The images of the people.
        num_resamples: How many resamples.
        seed: Of the draws.

    Returns:
        float32 [num_resamples, num_people]; each row sums to the number of people.
    """
    number = images.num_people
    drawn_RP = np.random.default_rng(seed).integers(number, size=(num_resamples, number))
    cells = (drawn_RP + number * np.arange(num_resamples)[:, None]).ravel()
    times = np.bincount(cells, minlength=num_resamples * number)
    return times.reshape(num_resamples, number).astype(np.float32)


def folds(images: Labelled, *, num_folds: int, seed: int) -> Iterator[np.ndarray]:
    """Yield the images of each fold as a mask, bool [num_images]; a person is in one fold.

    People who have the same classes, such as old women, are dealt out evenly. Fewer people than
    folds give fewer folds.

    Args:
        images: The images to deal out.
        num_folds: How many folds.
        seed: Of the order of the people.
    """
    rng = np.random.default_rng(seed)
    order = np.concatenate([rng.permutation(people) for people in _people_by_classes(images)])
    fold_P = np.empty(images.num_people, np.int64)
    fold_P[order] = np.arange(len(order)) % num_folds
    for number in range(min(num_folds, images.num_people)):
        yield fold_P[images.person] == number


def _people_by_classes(images: Labelled) -> list[list[int]]:
    """Return the people in groups that have the same classes."""
    classes: dict[int, set[int]] = defaultdict(set)
    for person, label in zip(images.person.tolist(), images.labels.tolist(), strict=True):
        classes[person].add(label)
    groups: dict[frozenset[int], list[int]] = defaultdict(list)
    for person in sorted(classes):
        groups[frozenset(classes[person])].append(person)
    return list(groups.values())

"""F1 and accuracy of many predictions at once, from counts by class."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from analysis.estimates.contest import favourites, upsets
from analysis.estimates.labelled import Labelled
from analysis.estimates.scorer import Scorer
from analysis.estimates.stack import Stack


class Counts(NamedTuple):
    """Numbers of images by group and outcome, each [num_rows, num_groups, num_outcomes].

    An outcome is a class, or a value of an attribute that the class determines.
    """

    hits: np.ndarray
    predicted: np.ndarray
    true: np.ndarray


Summary = Callable[[Counts], np.ndarray]


@dataclass(frozen=True)
class Counting:
    """What is counted, and what becomes of the counts.

    Args:
        outcome_of_class: int64 [num_classes].
        num_outcomes: Number of outcomes.
        group: int64 [num_images], the group that each image is counted in.
        num_groups: Number of groups.
        summary: Counts -> metric, float64 [num_rows].
    """

    outcome_of_class: np.ndarray
    num_outcomes: int
    group: np.ndarray
    num_groups: int
    summary: Summary


class CountScorer(Scorer):
    """A metric of the most probable classes.

    Args:
        images: The images.
        counting: What is counted of them.
    """

    def __init__(self, images: Labelled, counting: Counting) -> None:
        self._counting = counting
        self._person_N = images.person
        self._num_people = images.num_people
        self._true_N = counting.outcome_of_class[images.labels]
        self._first_cell_N = counting.group * counting.num_outcomes
        self._num_cells = counting.num_groups * counting.num_outcomes

    def added(
        self,
        total_NC: np.ndarray,
        num_votes: int,  # noqa: ARG002  the most probable class does not depend on it
        stack: Stack,
    ) -> np.ndarray:
        """Return the metric of the average with each candidate added, float64 [num_candidates].

        All images are counted with their favourite class, then with what each candidate upsets.
        """
        favourite_N = favourites(total_NC, stack)
        everyone_N = np.zeros(len(favourite_N), np.int64)
        hits, predicted, true = self._counts(favourite_N, slice(None), everyone_N, num_rows=1)
        change = np.zeros((2, stack.num_candidates, *hits.shape[1:]), np.int64)
        for images, candidates, classes in upsets(total_NC, stack, favourite_N):
            after = self._counts(classes, images, candidates, num_rows=stack.num_candidates)
            before = self._counts(
                favourite_N[images], images, candidates, num_rows=stack.num_candidates
            )
            change += np.stack(after[:2]) - np.stack(before[:2])
        return self._counting.summary(Counts(hits + change[0], predicted + change[1], true))

    def resampled(self, probabilities_NC: np.ndarray, weights_RP: np.ndarray) -> np.ndarray:
        """Return the metric of each resample, float64 [num_resamples]."""
        by_person = self._counts(
            probabilities_NC.argmax(axis=1),
            slice(None),
            self._person_N,
            num_rows=self._num_people,
        )
        shape = (len(weights_RP), *by_person.hits.shape[1:])
        flat = [counts.reshape(self._num_people, -1) for counts in by_person]
        return self._counting.summary(Counts(*((weights_RP @ c).reshape(shape) for c in flat)))

    def _counts(
        self,
        predicted_X: np.ndarray,
        images: np.ndarray | slice,
        row: np.ndarray,
        *,
        num_rows: int,
    ) -> Counts:
        """Count predictions of images, each in its row."""
        outcome_X = self._counting.outcome_of_class[predicted_X]
        true_X = self._true_N[images]
        first_cell_X = row * self._num_cells + self._first_cell_N[images]
        cells = (
            (first_cell_X + true_X)[outcome_X == true_X],
            first_cell_X + outcome_X,
            first_cell_X + true_X,
        )
        shape = (num_rows, self._counting.num_groups, self._counting.num_outcomes)
        size = num_rows * self._num_cells
        return Counts(*(np.bincount(c, minlength=size).reshape(shape) for c in cells))


def macro_f1_by_group(counts: Counts) -> np.ndarray:
    """Return the mean F1 of the outcomes that occur, float64 [num_rows, num_groups]."""
    occurring = counts.predicted + counts.true
    f1 = np.divide(
        2.0 * counts.hits, occurring, out=np.zeros(occurring.shape), where=occurring > 0
    )
    macro: np.ndarray = f1.sum(axis=-1) / np.maximum((occurring > 0).sum(axis=-1), 1)
    return macro


def mean_macro_f1(counts: Counts) -> np.ndarray:
    """Return the macro F1 of each row, averaged over the groups that have images."""
    has_images = counts.true.sum(axis=-1) > 0
    total = np.where(has_images, macro_f1_by_group(counts), 0).sum(axis=-1)
    return _or_nan(total, has_images.sum(axis=-1))


def accuracy(counts: Counts) -> np.ndarray:
    """Return the share of images whose outcome is right, float64 [num_rows]."""
    return _or_nan(counts.hits.sum(axis=(1, 2)), counts.true.sum(axis=(1, 2)))


def macro_f1_of_group(number: int) -> Summary:
    """Return the summary that gives the macro F1 within one group."""

    def summary(counts: Counts) -> np.ndarray:
        has_images = counts.true[:, number].sum(axis=-1) > 0
        return np.where(has_images, macro_f1_by_group(counts)[:, number], np.nan)

    return summary


def f1_of_outcome(number: int) -> Summary:
    """Return the summary that gives the F1 of one outcome, NaN where it does not occur."""

    def summary(counts: Counts) -> np.ndarray:
        occurring = (counts.predicted + counts.true)[:, 0, number]
        return _or_nan(2.0 * counts.hits[:, 0, number], occurring)

    return summary


def _or_nan(total: np.ndarray, number: np.ndarray) -> np.ndarray:
    missing = np.full(total.shape, np.nan)
    return np.asarray(np.divide(total, number, out=missing, where=number > 0))

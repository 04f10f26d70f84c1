"""Which class wins when each of many candidates is added to a sum of probabilities."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from analysis.estimates.stack import Stack

# Above what float32 sums of some dozen probabilities are off by.
ROUNDING = 1e-4
# What a core's own cache holds, so that a piece is read from memory once.
CHUNK_BYTES = 2**18


class Upsets(NamedTuple):
    """Images for which candidates make another class win than the favourite.

    Args:
        images: int64 [num_upsets], numbers of the images.
        candidates: int64 [num_upsets], numbers of the candidates.
        classes: int64 [num_upsets], the class that is the most probable one then.
    """

    images: np.ndarray
    candidates: np.ndarray
    classes: np.ndarray


def favourites(total_NC: np.ndarray, stack: Stack) -> np.ndarray:
    """Return a class for each image that most candidates leave in front, int64 [num_images].

    Args:
        total_NC: float32 [num_images, num_classes], sums of probabilities.
        stack: The candidates.
    """
    return np.asarray((2 * total_NC + stack.highest + stack.lowest).argmax(axis=1))


def upsets(total_NC: np.ndarray, stack: Stack, favourite_N: np.ndarray) -> Iterator[Upsets]:
    """Yield where a candidate, added to a sum, makes another class win than the favourite.

    The result is that of adding and ``argmax``. Most classes need not be looked at: one that lies
    so far behind that no candidate lifts it to the front cannot win. After a few votes hardly
    any image is still open.

    Args:
        total_NC: float32 [num_images, num_classes], sums of probabilities.
        stack: The candidates.
        favourite_N: What ``favourites`` returned.
    """
    to_beat_N1 = (total_NC + stack.lowest).max(axis=1, keepdims=True)
    contends_NC = total_NC + stack.highest >= to_beat_N1 - ROUNDING
    num_contenders_N = contends_NC.sum(axis=1)
    for number in range(2, total_NC.shape[1] + 1):
        images_n = np.flatnonzero(num_contenders_N == number)
        classes_nk = np.nonzero(contends_NC[images_n])[1].reshape(-1, number)
        for piece in _pieces(len(images_n), stack):
            favourite_n = favourite_N[images_n[piece]]
            yield _decided(total_NC, stack, images_n[piece], classes_nk[piece], favourite_n)


def _pieces(num_images: int, stack: Stack) -> Iterator[slice]:
    size = max(1, CHUNK_BYTES // (4 * stack.num_candidates))
    yield from (slice(start, start + size) for start in range(0, num_images, size))


def _decided(
    total_NC: np.ndarray,
    stack: Stack,
    images_n: np.ndarray,
    classes_nk: np.ndarray,
    favourite_n: np.ndarray,
) -> Upsets:
    """Decide between the same number of contenders, in the order of classes, for some images."""
    best_nM = _sums(total_NC, stack, images_n, classes_nk[:, 0])
    winner_nM = np.zeros(best_nM.shape, np.int8 if classes_nk.shape[1] < 128 else np.int32)
    for place in range(1, classes_nk.shape[1]):
        sums_nM = _sums(total_NC, stack, images_n, classes_nk[:, place])
        np.copyto(winner_nM, place, where=sums_nM > best_nM)
        np.maximum(best_nM, sums_nM, out=best_nM)
    favourite_n1 = (classes_nk < favourite_n[:, None]).sum(axis=1, keepdims=True)
    n, candidates = np.nonzero(winner_nM != favourite_n1)
    return Upsets(images_n[n], candidates, classes_nk[n, winner_nM[n, candidates]])


def _sums(
    total_NC: np.ndarray, stack: Stack, images_n: np.ndarray, classes_n: np.ndarray
) -> np.ndarray:
    sums_nM: np.ndarray = stack.probabilities[images_n, classes_n]
    sums_nM += total_NC[images_n, classes_n][:, None]
    return sums_nM

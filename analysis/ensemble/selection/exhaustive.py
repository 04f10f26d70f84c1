"""Every subset of a small pool."""

from collections.abc import Iterable, Iterator
from itertools import combinations, islice
from math import comb
from typing import Literal

import numpy as np

from analysis.ensemble.ballot import Ballot
from analysis.ensemble.selection.base import Selection, SelectionPart, Step
from trainable.errors import ConfigError, expected

MOST_SUBSETS = 20_000
SUBSETS_AT_A_TIME = 64
Members = tuple[int, ...]


class Exhaustive(SelectionPart):
    """The best of all subsets, equally weighted; for small pools."""

    name: Literal["exhaustive"] = "exhaustive"

    def select(self, ballot: Ballot) -> Selection:
        """Return the best subset, of equally good ones the smallest.

        Its steps are the best subsets of 1, 2, … members, up to the best of all.

        Raises:
            ConfigError: If there are more than 20,000 subsets.
        """
        candidates = self.affordable(ballot).tolist()
        sizes = range(1, min(self.max_members, len(candidates)) + 1)
        _check_few(sum(comb(len(candidates), size) for size in sizes), len(candidates))
        best = [
            found
            for size in sizes
            if (found := self._best(ballot, combinations(candidates, size))) is not None
        ]
        place = int(np.argmax([goodness for goodness, _ in best]))
        _, members = best[place]
        steps = (Step(None, goodness) for goodness, _ in best[: place + 1])
        return Selection(dict.fromkeys(members, 1 / len(members)), tuple(steps))

    def _best(self, ballot: Ballot, subsets: Iterable[Members]) -> tuple[float, Members] | None:
        """Return goodness and members of the best allowed subset; None if none is allowed."""
        allowed = (s for s in subsets if self.is_allowed(ballot, frozenset(s)))
        found = [
            (float(goodness_K[place]), piece[place])
            for piece in _pieces(allowed)
            for goodness_K in [_goodness(ballot, piece)]
            for place in [int(goodness_K.argmax())]
        ]
        return max(found, key=lambda pair: pair[0], default=None)


def _goodness(ballot: Ballot, subsets: list[Members]) -> np.ndarray:
    weights_MK = np.zeros((len(ballot), len(subsets)), np.float32)
    for place, members in enumerate(subsets):
        weights_MK[list(members), place] = 1 / len(members)
    return ballot.goodness(ballot.stack.probabilities @ weights_MK)


def _pieces(subsets: Iterator[Members]) -> Iterator[list[Members]]:
    while piece := list(islice(subsets, SUBSETS_AT_A_TIME)):
        yield piece


def _check_few(num_subsets: int, num_candidates: int) -> None:
    if num_subsets > MOST_SUBSETS:
        what = f"at most {MOST_SUBSETS:,} subsets for exhaustive"
        got = f"{num_subsets:,} of {num_candidates} candidates"
        remedy = "Lower --max-members, or take --method greedy."
        raise ConfigError(expected("--method", what, got, remedy))

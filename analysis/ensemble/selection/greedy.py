"""Greedy ensemble selection with replacement."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from pydantic import Field

from analysis.ensemble.ballot import Ballot
from analysis.ensemble.selection.base import Selection, SelectionPart, Step, within_limits


class Greedy(SelectionPart):
    """Adds whichever candidate helps the average most, again and again, some of them repeatedly.

    A candidate's weight is its share of the votes. Of all averages on the way, beginning with
    the best single candidate, the best one is taken: no ensemble is worse than its best member.
    With ``bags``, this is done for random parts of the candidates, and the results averaged.

    Args:
        rounds: Votes that are handed out in all.
        start: Most candidates to begin with: the best single ones, as many as score best together.
        bags: Number of random parts; 1 takes all candidates at once.
        bag_share: Share of the candidates in each part.
        seed: Of the parts.

    References:
        Caruana, Niculescu-Mizil, Crew & Ksikes 2004, Ensemble selection from libraries of models.
    """

    name: Literal["greedy"] = "greedy"
    rounds: int = Field(30, ge=1)
    start: int = Field(3, ge=1)
    bags: int = Field(1, ge=1)
    bag_share: float = Field(0.5, gt=0, le=1)
    seed: int = Field(0, ge=0)

    def select(self, ballot: Ballot) -> Selection:
        """Return the members and their shares of the votes."""
        candidates = self.affordable(ballot)
        if self.bags > 1:
            return self._bagged(ballot, candidates)
        steps = _best_prefix(self._climb(ballot, candidates))
        return Selection(_shares(Counter(s.added for s in steps if s.added is not None)), steps)

    def _climb(self, ballot: Ballot, candidates: np.ndarray) -> tuple[Step, ...]:
        """Hand out the votes one by one; candidates come best first."""
        climb = _Climb(ballot)
        climb.begin(within_limits(self, ballot, candidates[: self.start].tolist()))
        while len(climb.steps) < self.rounds:
            members = climb.members
            allowed = [
                number
                for number in candidates.tolist()
                if number in members or self.is_allowed(ballot, members | {number})
            ]
            climb.add_best(np.array(allowed))
        return tuple(climb.steps[: self.rounds])

    def _bagged(self, ballot: Ballot, candidates: np.ndarray) -> Selection:
        """Average the results of random parts; never take less than the best candidate."""
        votes: dict[int, float] = defaultdict(float)
        steps = []
        for bag in self._bags(candidates):
            of_bag = ballot.of(bag)
            climbed = _best_prefix(self._climb(of_bag, np.arange(len(bag))))
            for step in climbed:
                assert step.added is not None
                votes[int(bag[step.added])] += 1 / len(climbed)
            weights = self._limited(ballot, votes)
            average_NC1 = ballot.average(weights)[:, :, None]
            steps.append(Step(None, float(ballot.goodness(average_NC1)[0])))
        best = int(candidates[0])
        if ballot.goodness_of_each[best] > steps[-1].goodness:
            return Selection({best: 1.0}, (Step(best, float(ballot.goodness_of_each[best])),))
        return Selection(weights, tuple(steps))

    def _bags(self, candidates: np.ndarray) -> Iterator[np.ndarray]:
        """Yield random parts of the candidates, in their order."""
        rng = np.random.default_rng(self.seed)
        size = max(1, round(self.bag_share * len(candidates)))
        for _ in range(self.bags):
            yield candidates[np.sort(rng.permutation(len(candidates))[:size])]

    def _limited(self, ballot: Ballot, votes: Mapping[int, float]) -> dict[int, float]:
        """Return the shares of those with most votes that may be members together."""
        members = within_limits(self, ballot, _heaviest_first(votes))
        return _shares({number: votes[number] for number in members})


@dataclass
class _Climb:
    """The votes handed out so far.

    Args:
        ballot: The candidates.
        steps: A step a vote.
    """

    ballot: Ballot
    steps: list[Step] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._total_NC = np.zeros(self.ballot.stack.probabilities.shape[:2], np.float32)

    @property
    def members(self) -> frozenset[int]:
        """Return the candidates that have a vote."""
        return frozenset(step.added for step in self.steps if step.added is not None)

    def begin(self, best_first: list[int]) -> None:
        """Give a vote to the first so many candidates as score best together."""
        sums_NCK = np.cumsum(self.ballot.stack.probabilities[:, :, best_first], axis=2)
        numbers_K = np.arange(1, len(best_first) + 1, dtype=np.float32)
        goodness_K = self.ballot.goodness(sums_NCK / numbers_K)
        number = int(goodness_K.argmax()) + 1
        self._total_NC = sums_NCK[:, :, number - 1].copy()
        self.steps = [
            Step(added, float(goodness))
            for added, goodness in zip(best_first[:number], goodness_K[:number], strict=True)
        ]

    def add_best(self, allowed: np.ndarray) -> None:
        """Give a vote to the candidate that helps most."""
        goodness = self.ballot.added(self._total_NC, len(self.steps), allowed)
        place = int(goodness.argmax())
        self._total_NC += self.ballot.votes(int(allowed[place]))
        self.steps.append(Step(int(allowed[place]), float(goodness[place])))


def _best_prefix(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Return the steps up to the best one, of equally good ones the first."""
    best = int(np.argmax([step.goodness for step in steps]))
    return steps[: best + 1]


def _shares(votes: Mapping[int, float]) -> dict[int, float]:
    total = sum(votes.values())
    return {number: votes[number] / total for number in _heaviest_first(votes)}


def _heaviest_first(votes: Mapping[int, float]) -> list[int]:
    return sorted(votes, key=lambda number: -votes[number])

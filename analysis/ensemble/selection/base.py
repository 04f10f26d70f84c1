"""What every selection is: from the candidates' votes to the members' weights."""

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from analysis.ensemble.ballot import Ballot
from trainable.errors import ConfigError, expected
from trainable.part import Part


@dataclass(frozen=True)
class Step:
    """A step of a selection.

    Args:
        added: Number of the candidate that was added; None where a step adds several.
        goodness: The metric after the step, signed so that larger is better.
    """

    added: int | None
    goodness: float


@dataclass(frozen=True)
class Selection:
    """The members of an ensemble.

    Args:
        weights: Share of each member by its number, heaviest first; they sum to 1.
        steps: How the ensemble grew; the last one is the ensemble as it is.
    """

    weights: dict[int, float]
    steps: tuple[Step, ...]

    @property
    def goodness(self) -> float:
        """Return the metric of the ensemble, signed so that larger is better."""
        return self.steps[-1].goodness


class SelectionPart(Part):
    """A selection; what it selects never is too large or too slow."""

    max_members: int = Field(5, ge=1)
    max_ms: float | None = Field(None, gt=0)

    @abstractmethod
    def select(self, ballot: Ballot) -> Selection:
        """Return the members and weights that it finds best.

        Args:
            ballot: The candidates, at least one.

        Raises:
            ConfigError: If every candidate costs more than allowed, or there are too many.
        """

    def is_allowed(self, ballot: Ballot, members: frozenset[int]) -> bool:
        """Return whether an ensemble may have these members together."""
        fits = self.max_ms is None or ballot.cost_ms(members) <= self.max_ms
        return len(members) <= self.max_members and fits

    def affordable(self, ballot: Ballot) -> np.ndarray:
        """Return the candidates that may be members at all, best first.

        Raises:
            ConfigError: If there are none.
        """
        allowed = [
            n for n in ballot.best_first.tolist() if self.is_allowed(ballot, frozenset([n]))
        ]
        if not allowed:
            got = f"{min(ballot.costs_ms):.3g} ms for the cheapest candidate"
            raise ConfigError(expected("--max-gpu-ms", "room for one member", got))
        return np.array(allowed)


def equally_weighted(ballot: Ballot, members: list[int]) -> Selection:
    """Return the plain average of some candidates, in the order in which they are added."""
    sums_NCK = np.cumsum(ballot.stack.probabilities[:, :, members], axis=2)
    averages_NCK = sums_NCK / np.arange(1, len(members) + 1, dtype=np.float32)
    steps = map(Step, members, ballot.goodness(averages_NCK).tolist())
    return Selection(dict.fromkeys(members, 1 / len(members)), tuple(steps))


def within_limits(part: SelectionPart, ballot: Ballot, candidates: list[int]) -> list[int]:
    """Return the first candidates that fit together, passing over those that do not."""
    members: list[int] = []
    for number in candidates:
        if part.is_allowed(ballot, frozenset([*members, number])):
            members.append(number)
    return members

"""From a pool to members and weights, and to how good they are without the test part."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from analysis.candidate import Candidate
from analysis.ensemble.ballot import Ballot
from analysis.ensemble.cross_fit import cross_fitted
from analysis.ensemble.diversity import diversity_table
from analysis.ensemble.pool import Pool
from analysis.ensemble.selection.base import Selection, SelectionPart
from analysis.ensemble.selection.top_k import TopK
from analysis.estimates.interval import Resamples
from analysis.estimates.labelled import Labelled
from analysis.estimates.metric import HEADLINES, scorer
from analysis.estimates.stack import Stack
from analysis.manifest import Score


@dataclass(frozen=True)
class Choice:
    """What was chosen of a pool, and by what.

    Args:
        pool: The candidates.
        method: How members were chosen.
        ballot: Their votes on the validation images.
        selection: Members by number, and their weights.
    """

    pool: Pool
    method: SelectionPart
    ballot: Ballot
    selection: Selection

    @property
    def best(self) -> Candidate:
        """Return the best single candidate."""
        return self.pool.candidates[int(self.ballot.best_first[0])]

    @property
    def members(self) -> list[tuple[Candidate, float]]:
        """Return the members and their weights, heaviest first."""
        return [(self.pool.candidates[n], w) for n, w in self.selection.weights.items()]

    @cached_property
    def resamples(self) -> Resamples:
        """The resampled people of the validation part."""
        return Resamples(self.ballot.images)

    def gain_curve(self) -> pd.DataFrame:
        """Return how the ensemble grew.

        Returns:
            A row a step with the columns ``step`` (from 1), ``added`` (name of the candidate;
            missing where a step adds several) and ``value`` (the metric after it).
        """
        names = [candidate.name for candidate in self.pool.candidates]
        steps = self.selection.steps
        return pd.DataFrame(
            {
                "step": range(1, len(steps) + 1),
                "added": [None if s.added is None else names[s.added] for s in steps],
                "value": [self.ballot.sign * step.goodness for step in steps],
            }
        )

    def diversity(self) -> pd.DataFrame:
        """Return how each pair of members differs, as ``diversity_table`` does."""
        numbers = np.array(list(self.selection.weights))
        names = [candidate.name for candidate, _ in self.members]
        return diversity_table(
            self.ballot.stack.candidates(numbers), self.ballot.images.labels, names
        )

    def validation_score(self, weights: dict[int, float]) -> Score:
        """Return the metric of a weighted average on the images that it was chosen on."""
        return self._score(self.pool.metric, (self.ballot.average(weights),))

    def cross_fitted_scores(self, method: SelectionPart) -> dict[str, Score]:
        """Return what choosing is worth on people who had no part in it, by metric.

        Args:
            method: How members are chosen.

        Returns:
            Scores by names such as ``f1``: of the headlines, and of what was optimised.
        """
        repeats = cross_fitted(self.ballot, method)
        return {
            metric: self._score(metric, repeats)
            for metric in dict.fromkeys([*HEADLINES, self.pool.metric])
        }

    def _score(self, metric: str, repeats: tuple[np.ndarray, ...]) -> Score:
        values = [scorer(metric, self.ballot.images).of(of_one) for of_one in repeats]
        interval = self.resamples.interval_of_mean(metric, repeats)
        return Score(value=float(np.mean(values)), interval=interval)


def choose(pool: Pool, method: SelectionPart, *, costs_ms: tuple[float, ...] = ()) -> Choice:
    """Choose members of a pool on its validation part.

    Args:
        pool: The candidates.
        method: How to choose.
        costs_ms: Milliseconds that each candidate takes for an image, where the method asks.

    Raises:
        ConfigError: If the metric is unknown, or nothing may be chosen.
    """
    ballot = Ballot(
        Stack.of(candidate.probabilities for candidate in pool.candidates),
        Labelled.of(pool.data, "val"),
        pool.metric,
        tuple(candidate.config.backbone.name for candidate in pool.candidates),
        costs_ms,
    )
    return Choice(pool, method, ballot, method.select(ballot))


def best_single(method: SelectionPart) -> SelectionPart:
    """Return the selection of the best candidate alone, under the same limit of cost."""
    return TopK(max_members=1, max_ms=method.max_ms)

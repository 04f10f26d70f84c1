"""What the trials of a study say to TPE: their hyperparameters, and which occur together."""

import math
from bisect import insort
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial

SearchSpace = dict[str, BaseDistribution]
Values = dict[str, float]


class TrialTable:
    """The hyperparameters of trials, as Optuna models them."""

    def __init__(self) -> None:
        self._places: dict[int, int] = {}
        self._rows: dict[str, int] = {}
        # Of each hyperparameter and trial, NaN where it has none; with room for more of both.
        self._values_PT = np.empty((0, 0))

    def __contains__(self, number: int) -> bool:
        """Whether a trial is in it."""
        return number in self._places

    def __len__(self) -> int:
        """Return the number of trials."""
        return len(self._places)

    def copy(self) -> "TrialTable":
        """Return a table to which others can be added."""
        other = TrialTable()
        other._places, other._rows = dict(self._places), dict(self._rows)
        other._values_PT = self._values_PT.copy()
        return other

    def add(self, number: int, values: Values) -> None:
        """Add a trial that is not in it.

        Args:
            number: Its number.
            values: Its hyperparameters by name.
        """
        place = self._places[number] = len(self._places)
        rows = [self._rows.setdefault(name, len(self._rows)) for name in values]
        num_names, num_trials = self._values_PT.shape
        if place >= num_trials or len(self._rows) > num_names:
            grown_PT = np.full((2 * len(self._rows), 2 * len(self._places)), math.nan)
            grown_PT[:num_names, :num_trials] = self._values_PT[:, : len(grown_PT[0])]
            self._values_PT = grown_PT
        self._values_PT[rows, place] = list(values.values())

    def of(self, trials: Iterable[FrozenTrial]) -> "Half":
        """Return what some of its trials have."""
        return Half(self._rows, self._values_PT[:, [self._places[t.number] for t in trials]])


class Half(NamedTuple):
    """The good trials of a study, or the poor ones.

    Args:
        rows: The row of each hyperparameter.
        values_PT: The hyperparameters of the trials, NaN where one has none.
    """

    rows: Mapping[str, int]
    values_PT: np.ndarray  # noqa: N815  P names, T trials

    def observed(self, search_space: SearchSpace) -> dict[str, np.ndarray]:
        """Return the values of the trials that have all names, float [trials] of each name."""
        if not search_space.keys() <= self.rows.keys():
            return {name: np.empty(0) for name in search_space}
        values_ST = self.values_PT[[self.rows[name] for name in search_space]]
        observed_St = values_ST[:, ~np.isnan(values_ST).any(axis=0)]
        return dict(zip(search_space, observed_St, strict=True))


class Groups:
    """Hyperparameters in groups that occur in the same trials, as Optuna orders them.

    Trials may come in any order. Of hyperparameters with the same name that of the first trial
    by number counts.

    Example:
        >>> from optuna.distributions import FloatDistribution
        >>> a = b = c = FloatDistribution(0, 1)
        >>> groups = Groups()
        >>> for number, space in enumerate([{"a": a, "b": b}, {"a": a, "c": c, "b": b}, {"a": a}]):
        ...     groups.add(number, space)
        >>> [sorted(group) for group in groups.search_spaces()]
        [['a'], ['b'], ['c']]
    """

    def __init__(self) -> None:
        self._first_having: dict[frozenset[str], int] = {}
        self._occurs: dict[str, list[float]] = {}
        self._first: dict[str, tuple[int, BaseDistribution]] = {}

    def add(self, number: int, space: SearchSpace) -> None:
        """Take in the distributions of a trial by name."""
        for name, known in space.items():
            if name not in self._first or number < self._first[name][0]:
                self._first[name] = (number, known)
        names = frozenset(space)
        earlier = self._first_having.get(names, math.inf)
        if earlier < number:  # says nothing new of what occurs together
            return
        self._first_having[names] = number
        for name in space:
            numbers = self._occurs.setdefault(name, [math.inf])
            if earlier < math.inf:
                numbers.remove(earlier)
            insort(numbers, number)

    @property
    def distributions(self) -> SearchSpace:
        """Return the distributions of all hyperparameters by name."""
        return {name: known for name, (_, known) in self._first.items()}

    def search_spaces(self) -> list[SearchSpace]:
        """Return the groups, each with its distributions by name."""
        together: dict[tuple[float, ...], SearchSpace] = defaultdict(dict)
        for name, numbers in self._occurs.items():
            # Of two groups, that comes first which is in the first trial that has only one of
            # them: a group that is in no more trials comes last.
            together[tuple(numbers)][name] = self._first[name][1]
        return [together[numbers] for numbers in sorted(together)]


class ToldTrials:
    """What the trials of a study say that have been told: they do not change.

    Kept from one suggestion to the next, it is most of what a suggestion would work out anew.
    """

    def __init__(self) -> None:
        self.table = TrialTable()
        self.groups = Groups()
        self._running: dict[int, tuple[int, dict[str, float]]] = {}

    def add(self, trials: Iterable[FrozenTrial]) -> None:
        """Take in those that are not known yet."""
        for trial in trials:
            if trial.number not in self.table:
                self.groups.add(trial.number, trial.distributions)
                self.table.add(trial.number, modelled(trial.params, trial.distributions))

    def running(self, trial: FrozenTrial, params: Callable[[], Mapping[str, Any]]) -> Values:
        """Return what a running trial has.

        Args:
            trial: The trial.
            params: Returns its hyperparameters by name, those promised to it included; they
                change only as it is given one more.
        """
        num_params, values = self._running.get(trial.number, (-1, {}))
        if num_params != len(trial.params):
            values = modelled(params(), self.groups.distributions | trial.distributions)
            self._running[trial.number] = (len(trial.params), values)
        return values


def modelled(params: Mapping[str, Any], distributions: SearchSpace) -> Values:
    """Return hyperparameters as Optuna models them, by name."""
    return {name: distributions[name].to_internal_repr(value) for name, value in params.items()}

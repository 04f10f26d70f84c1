"""The samplers: what suggests the next configuration, given what has been told."""

import copy
import warnings
from collections.abc import Container
from typing import Any, cast

import numpy as np
from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, GPSampler, RandomSampler
from optuna.trial import FrozenTrial, TrialState

from search.cma_es import CmaEs
from search.cost_aware import CostAwareTpe
from search.options import SamplerName
from search.told_trials import ToldTrials
from search.tpe import Tpe


def make_sampler(
    name: SamplerName,
    *,
    seed: int,
    number: int,
    cost_aware: bool = False,
    told: ToldTrials | None = None,
) -> BaseSampler:
    """Return the sampler for one suggestion.

    It keeps no state: what it suggests depends on the seed, the number and the trials in the
    study alone, so that an interrupted search goes on as it would have. All learn from the tenth
    trial told on. They differ in what they make of a trial:

    - ``tpe``: conditional hyperparameters are modelled with what they depend on. Complete trials
      rank by value, before all pruned ones; those by the epoch they reached, then by value.
      Running ones count as poor, so that workers do not all try the same.
    - ``gp``: a Gaussian process over what every trial has, choices included; the rest by ``tpe``,
      one by one. Pruned trials count like complete ones, with the value they were stopped on.
      Running ones are taken into account by sampling how they might end.
    - ``cmaes``: an evolution strategy over the numbers that every trial has; choices and the rest
      by ``tpe``, one by one. Pruned trials count as with ``gp``; running ones not at all.
    - ``random``: learns nothing.

    Failed trials count for none of them.

    Args:
        name: Which one.
        seed: Seed of the search.
        number: Number of the trial.
        cost_aware: Whether ``tpe`` divides what a trial promises by its predicted seconds.
        told: What earlier samplers of the same study have worked out of its trials.
    """
    drawn = int(np.random.SeedSequence([seed, number]).generate_state(1)[0])
    if name == "random":
        return RandomSampler(seed=drawn)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        tpe = (CostAwareTpe if cost_aware else Tpe)(seed=drawn, told=told)
        if name == "gp":
            return _PruningGp(seed=drawn, independent_sampler=tpe, warn_independent_sampling=False)
    return CmaEs(seed=drawn, others=tpe) if name == "cmaes" else tpe


class _PruningGp(GPSampler):
    """Optuna's Gaussian process, which would overlook every trial that was stopped early.

    With two of three trials stopped it would begin to learn after thirty and then know only what
    is good.
    """

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        return super().infer_relative_search_space(_PrunedAsComplete.of(study), trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return super().sample_relative(_PrunedAsComplete.of(study), trial, search_space)


class _PrunedAsComplete:
    """A study in which trials stopped early look complete, with the value they were told with."""

    def __init__(self, study: Study) -> None:
        self._study = study

    @classmethod
    def of(cls, study: Study) -> Study:
        return cast("Study", cls(study))

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the study has
        return getattr(self._study, name)

    def _get_trials(
        self, *, states: Container[TrialState] | None = None, **how: bool
    ) -> list[FrozenTrial]:
        del how
        trials = [_as_complete(trial) for trial in self._study.get_trials(deepcopy=False)]
        return [trial for trial in trials if states is None or trial.state in states]


def _as_complete(trial: FrozenTrial) -> FrozenTrial:
    if trial.state is not TrialState.PRUNED or trial.value is None:
        return trial
    complete = copy.copy(trial)
    complete.state = TrialState.COMPLETE
    return complete

"""The ways of searching that are compared: ours, Ray's, Optuna's, and random ones."""

import logging
from dataclasses import dataclass
from functools import cache
from itertools import count
from typing import Any

import optuna
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, SuccessiveHalvingPruner
from optuna.samplers import BaseSampler, TPESampler
from optuna.storages import InMemoryStorage
from optuna.trial import TrialState
from ray.tune.schedulers import ASHAScheduler, TrialScheduler
from ray.tune.search.optuna import OptunaSearch

from benchmarks.recorded_space import Configuration, nearest, space, trial_config
from benchmarks.replay import EpochSeconds, Suggested, one_second
from search.options import SamplerName, SchedulerName, SearchOptions
from search.schedulers.base import Scheduler
from search.schedulers.grace import own_grace
from search.schedulers.make import make_scheduler
from search.study import SearchStudy
from search.suggesting import SuggestingTrial
from trainable.objective import Objective

METRIC = "val/f1"
EPOCH = "training_iteration"
DEFAULTS = SearchOptions.model_fields
GRACE_PERIOD: int = DEFAULTS["grace_period"].default
REDUCTION_FACTOR: int = DEFAULTS["reduction_factor"].default


def suggest(trial: optuna.Trial) -> dict[str, Any]:
    """Return what the recorded space suggests, by name."""
    suggesting = SuggestingTrial(trial, pins={})
    space(suggesting)  # type: ignore[arg-type]  # stands in for an Optuna trial, as in a search
    return suggesting.params


class Ours:
    """The product's study, told the truth, and its own early stopping.

    Args:
        scheduler: Decides which trials end early.
        num_epochs: Epochs of a whole trial.
        sampler: What suggests.
        seed: Seed of the suggestions.
        cost_aware: Whether that takes the seconds of trials into account.
        epoch_s: The seconds of an epoch, by what was suggested.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        *,
        num_epochs: int,
        sampler: SamplerName,
        seed: int,
        cost_aware: bool = False,
        epoch_s: EpochSeconds = one_second,
    ) -> None:
        self._num_epochs = num_epochs
        self._epoch_s = epoch_s
        self._seconds: dict[int, float] = {}
        self._scheduler = scheduler
        self._graces: dict[int, int] = {}
        self._study = SearchStudy(
            InMemoryStorage(),
            objective=Objective(METRIC),
            suggest=suggest,
            sampler=sampler,
            seed=seed,
            cost_aware=cost_aware,
        )

    def suggest(self) -> Suggested:
        """Return the next trial."""
        suggestion = self._study.ask()
        self._seconds[suggestion.number] = self._epoch_s(suggestion.config)
        self._graces[suggestion.number] = _grace(nearest(suggestion.config), self._num_epochs)
        return Suggested(suggestion.number, suggestion.config)

    def epoch_done(self, number: int, epoch: int, value: float) -> bool:
        """Report an epoch; a trial that is stopped is told as pruned."""
        self._study.report(number, epoch=epoch, value=value)
        stop = self._scheduler.should_stop(
            number, epoch=epoch, value=value, grace=self._graces[number]
        )
        if stop:
            self._study.prune(number, reason="stopped", seconds=epoch * self._seconds[number])
        return stop

    def finished(self, number: int, epoch: int, value: float) -> None:
        """Report the last epoch and tell the best one's value."""
        self._study.report(number, epoch=epoch, value=value)
        self._study.complete(number, reason="epochs", seconds=epoch * self._seconds[number])


@cache
def _grace(configuration: Configuration, num_epochs: int) -> int:
    return own_grace(trial_config(configuration, num_epochs=num_epochs))


def ours(
    num_epochs: int,
    seed: int,
    *,
    sampler: SamplerName,
    scheduler: SchedulerName,
    grace_period: int = GRACE_PERIOD,
    reduction_factor: int = REDUCTION_FACTOR,
    cost_aware: bool = False,
    epoch_s: EpochSeconds = one_second,
) -> Ours:
    """Return our search with what the product ships, or with something of it changed."""
    made = make_scheduler(
        scheduler,
        max_epochs=num_epochs,
        grace_period=grace_period,
        reduction_factor=reduction_factor,
        seed=seed,
    )
    return Ours(
        made,
        num_epochs=num_epochs,
        sampler=sampler,
        seed=seed,
        cost_aware=cost_aware,
        epoch_s=epoch_s,
    )


@dataclass
class _RayTrial:
    """As much of Tune's trial as its scheduler looks at."""

    trial_id: str


class RayTune:
    """OptunaSearch with ASHAScheduler, called as Tune's controller calls them.

    Args:
        scheduler: Ray's scheduler.
        seed: Seed of the suggestions.
    """

    def __init__(self, scheduler: ASHAScheduler, *, seed: int) -> None:
        logging.getLogger("ray.tune").setLevel(logging.ERROR)
        self._search = OptunaSearch(_suggest_nothing_else, metric=METRIC, mode="max", seed=seed)
        scheduler.set_search_properties(METRIC, "max")
        self._scheduler = scheduler
        self._numbers = count()

    def suggest(self) -> Suggested:
        """Return the next trial."""
        number = next(self._numbers)
        self._search.suggest(str(number))
        self._scheduler.on_trial_add(None, _RayTrial(str(number)))
        return Suggested(number, self._search._ot_trials[str(number)].params)

    def epoch_done(self, number: int, epoch: int, value: float) -> bool:
        """Ask the scheduler; the searcher hears of results that do not stop the trial."""
        result = {METRIC: value, EPOCH: epoch}
        decision = self._scheduler.on_trial_result(None, _RayTrial(str(number)), result)
        if decision == TrialScheduler.STOP:
            self._end(number, result)
            return True
        self._search.on_trial_result(str(number), result)
        return False

    def finished(self, number: int, epoch: int, value: float) -> None:
        """Tell the last value."""
        self._end(number, {METRIC: value, EPOCH: epoch})

    def _end(self, number: int, result: dict[str, Any]) -> None:
        self._scheduler.on_trial_complete(None, _RayTrial(str(number)), result)
        self._search.on_trial_complete(str(number), result)


def _suggest_nothing_else(trial: optuna.Trial) -> None:
    """Suggest for Ray, whose define-by-run spaces return constants only."""
    suggest(trial)


def ray_tune(num_epochs: int, seed: int) -> RayTune:
    """Return Ray's search as its documentation shows it, with the length of our trials."""
    return RayTune(ASHAScheduler(max_t=num_epochs), seed=seed)


class OptunaStudy:
    """Optuna by itself, as its documentation shows it: report, should_prune, tell.

    Args:
        pruner: Decides which trials end early.
        sampler: What suggests.
        name: Name of the study, which Hyperband draws its brackets by.
    """

    def __init__(self, pruner: BasePruner, sampler: BaseSampler, *, name: str) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._study = optuna.create_study(
            study_name=name, sampler=sampler, pruner=pruner, direction="maximize"
        )
        self._running: dict[int, optuna.Trial] = {}

    def suggest(self) -> Suggested:
        """Return the next trial."""
        trial = self._study.ask()
        params = suggest(trial)
        self._running[trial.number] = trial
        return Suggested(trial.number, params)

    def epoch_done(self, number: int, epoch: int, value: float) -> bool:
        """Report an epoch and ask the pruner."""
        trial = self._running[number]
        trial.report(value, epoch)
        if not trial.should_prune():
            return False
        self._study.tell(self._running.pop(number), state=TrialState.PRUNED)
        return True

    def finished(self, number: int, epoch: int, value: float) -> None:
        """Report the last epoch and tell its value."""
        self._running[number].report(value, epoch)
        self._study.tell(self._running.pop(number), value)


def optuna_study(num_epochs: int, seed: int, *, pruner: str) -> OptunaStudy:
    """Return Optuna's search with its default sampler and one of its pruners, as they come."""
    pruners: dict[str, BasePruner] = {
        "median": MedianPruner(),
        "halving": SuccessiveHalvingPruner(),
        "hyperband": HyperbandPruner(max_resource=num_epochs),
    }
    return OptunaStudy(pruners[pruner], TPESampler(seed=seed), name=str(seed))

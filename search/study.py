"""The Optuna study of a search: its one record of what was tried and how it ended."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import optuna
from optuna.storages import BaseStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from analysis.study_file import (
    BEST_EPOCH,
    CONFIG,
    DEVICE_SECONDS,
    PREDICTED_SECONDS,
    REASON,
    SECONDS,
    STUDY_NAME,
    own_trials,
)
from search.avoiding import AvoidingSampler
from search.books import Suggestion
from search.cost import EPOCHS, CostModel, gpu_share
from search.options import SamplerName
from search.samplers import make_sampler
from search.study_record import StudyRecord
from search.told_trials import ToldTrials
from trainable.errors import ConfigError
from trainable.objective import Objective

START = "start"
SuggestConfig = Callable[[optuna.Trial], dict[str, Any]]


class SearchStudy:
    """What is asked of Optuna and told to it, truthfully.

    A trial that ran to its end is COMPLETE with its best epoch's value, one that was stopped
    early PRUNED with its last, one that failed FAIL with the reason. An interrupted one is
    WAITING: the next ``ask`` hands it out again, under its number and with its configuration.

    Args:
        storage: Where the study is kept.
        name: Its name there.
        objective: What is optimised.
        suggest: Suggests a flat configuration through an Optuna trial.
        starts: Values of the configurations to be tried first, by name; what they leave open is
            suggested.
        seed: Seed of the suggestions; that of a trial depends on this, its number, and what
            has been told before, not on when the search was interrupted.
        sampler: What suggests.
        cost_aware: Whether it takes into account how long trials take.
    """

    def __init__(
        self,
        storage: BaseStorage,
        *,
        name: str = STUDY_NAME,
        objective: Objective,
        suggest: SuggestConfig,
        seed: int,
        starts: Sequence[dict[str, Any]] = (),
        sampler: SamplerName = "tpe",
        cost_aware: bool = False,
    ) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        direction = StudyDirection.MAXIMIZE if objective.mode == "max" else StudyDirection.MINIMIZE
        self._record = StudyRecord(storage, name=name, direction=direction)
        self._study = self._record.in_memory()
        self._objective = objective
        self._suggest = suggest
        self._seed = seed
        self._sampler = sampler
        self._cost_aware = cost_aware
        self._starts = starts
        self._avoided: Mapping[str, Sequence[Any]] = {}
        self._running: dict[int, optuna.Trial] = {}
        self._told = ToldTrials()

    @property
    def trials(self) -> list[FrozenTrial]:
        """Return a copy of each of the search's own trials, in the order of their numbers."""
        return own_trials(self._study.get_trials(deepcopy=False))

    def bring_in(self, trials: Sequence[FrozenTrial]) -> None:
        """Add finished trials of other searches: the sampler learns from them, no more.

        Args:
            trials: Marked as not this search's own; those added later are numbered after them.
        """
        self._record.add(trials)
        self._study.add_trials(trials)

    def close(self) -> None:
        """Write what is left, and close what is open, so that the folder can be renamed."""
        self._record.close()

    def settle(self, *, now: bool = False) -> None:
        """Write what was left for later, if nothing was written for a second, or in any case."""
        self._record.settle(now=now)

    def num_to_run(self, num_trials: int) -> int:
        """Return how many trials are left to start so that the study has so many in all."""
        trials = self.trials
        waiting = sum(trial.state == TrialState.WAITING for trial in trials)
        return waiting + max(0, num_trials - len(trials))

    def note(self, name: str, value: Any) -> None:  # noqa: ANN401 - whatever JSON can hold
        """Keep a fact about the search as a whole."""
        self._record.note(name, value)

    def noted(self, name: str, default: Any = None) -> Any:  # noqa: ANN401
        """Return a fact kept by ``note``."""
        return self._record.noted(name, default)

    def avoid(self, values: Mapping[str, Sequence[Any]]) -> None:
        """Have no choices suggested from now on that are among these, by name."""
        self._avoided = values

    def ask(self) -> Suggestion:
        """Return the next trial: one that was interrupted, else a start, else a suggestion."""
        sampler = make_sampler(
            self._sampler,
            seed=self._seed,
            number=len(self.trials),
            cost_aware=self._cost_aware,
            told=self._told,
        )
        self._study.sampler = AvoidingSampler(sampler, self._avoided)
        self._enqueue_start()
        trial = self._study.ask()
        self._running[trial.number] = trial
        suggestion = self._suggestion(trial)
        self._record.begin(self._frozen(trial.number))
        return suggestion

    def _suggestion(self, trial: optuna.Trial) -> Suggestion:
        config = trial.user_attrs.get(CONFIG)
        if config is None:
            try:
                config = self._suggest(trial)
            except ConfigError as error:
                return Suggestion(trial.number, {}, problem=str(error))
            trial.set_user_attr(CONFIG, config)
            self._note_prediction(trial, config)
        return Suggestion(trial.number, config)

    def _note_prediction(self, trial: optuna.Trial, config: Mapping[str, Any]) -> None:
        """Note how long a trial is predicted to take, once some have ended."""
        costs = CostModel(self.trials, trial.distributions)
        epochs = config.get(EPOCHS)
        if costs.is_known and isinstance(epochs, int):
            predicted = costs.seconds(trial.params, epochs=epochs)
            trial.set_user_attr(PREDICTED_SECONDS, predicted)

    def _enqueue_start(self) -> None:
        """Have the next start asked next, unless trials wait; one by one, as each is a trial."""
        trials = self.trials
        number = sum(START in trial.user_attrs for trial in trials)
        is_free = all(trial.state != TrialState.WAITING for trial in trials)
        if is_free and number < len(self._starts):
            self._study.enqueue_trial(self._starts[number], user_attrs={START: number})

    def epochs_reported(self, number: int) -> int:
        """Return the last epoch reported of a trial, 0 if none was."""
        return max(self._frozen(number).intermediate_values, default=0)

    def report(self, number: int, *, epoch: int, value: float) -> None:
        """Record the value of an epoch, counted from 1."""
        self._running[number].report(value, epoch)
        self._record.report(number, epoch=epoch, value=value)

    def note_of(self, number: int, facts: Mapping[str, Any]) -> None:
        """Keep facts about a running trial, by name."""
        for name, value in facts.items():
            self._running[number].set_user_attr(name, value)
        self._record.note_of(number, facts)

    def complete(self, number: int, *, reason: str, seconds: float) -> float:
        """End a trial that ran to its end; its value is that of its best epoch.

        Returns:
            The value told.
        """
        _, value = self.best(number)
        self._end(number, TrialState.COMPLETE, self._notes(number, reason, seconds), value=value)
        return value

    def prune(self, number: int, *, reason: str, seconds: float) -> float:
        """End a trial that was stopped early; its value is that of its last epoch.

        Returns:
            The value told.
        """
        told = self._end(number, TrialState.PRUNED, self._notes(number, reason, seconds))
        return float(told.value if told.value is not None else np.nan)

    def fail(self, number: int, *, reason: str) -> None:
        """End a trial that cannot be trained."""
        self._end(number, TrialState.FAIL, {REASON: reason})

    def put_back(self, number: int) -> None:
        """Return an interrupted trial, to be handed out again by a later ``ask``."""
        trial = self._frozen(number)
        self._study._storage.set_trial_state_values(trial._trial_id, TrialState.WAITING)
        self._record.put_back(number)
        self._running.pop(number, None)

    def put_back_orphans(self) -> list[int]:
        """Return every trial that is marked as running though this process does not run it.

        Returns:
            Their numbers.
        """
        running = [t.number for t in self.trials if t.state == TrialState.RUNNING]
        orphans = [number for number in running if number not in self._running]
        for number in orphans:
            self.put_back(number)
        return orphans

    def best(self, number: int) -> tuple[int, float]:
        """Return the best epoch of a trial and its value; the trial has at least one."""
        values = self._frozen(number).intermediate_values
        sign = self._objective.sign
        epoch = max(values, key=lambda epoch: (sign * values[epoch], -epoch))
        return epoch, values[epoch]

    def curve(self, number: int) -> dict[int, float]:
        """Return a trial's value by epoch, larger is better."""
        values = self._frozen(number).intermediate_values
        return {epoch: self._objective.sign * values[epoch] for epoch in sorted(values)}

    def _frozen(self, number: int) -> FrozenTrial:
        return self._study.get_trials(deepcopy=False)[number]

    def _notes(self, number: int, reason: str, seconds: float) -> dict[str, Any]:
        epoch, _ = self.best(number)
        taken = seconds * gpu_share(self._frozen(number))
        return {REASON: reason, SECONDS: seconds, BEST_EPOCH: epoch, DEVICE_SECONDS: taken}

    def _end(
        self, number: int, state: TrialState, notes: Mapping[str, Any], value: float | None = None
    ) -> FrozenTrial:
        for name, noted in notes.items():
            self._running[number].set_user_attr(name, noted)
        told = self._study.tell(number, value, state=state)
        self._record.end(told, notes)
        del self._running[number]
        return told

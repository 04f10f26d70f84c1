"""The study as it is kept: what a search has decided, written in as few transactions as can be."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import optuna
from optuna.distributions import distribution_to_json
from optuna.storages import BaseStorage, InMemoryStorage, RDBStorage
from optuna.storages._rdb.models import TrialModel, TrialParamModel, TrialUserAttributeModel
from optuna.storages._rdb.storage import _create_scoped_session
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import insert


class StudyRecord:
    """Writes a study, and reads it once.

    A database answers each of Optuna's questions by reading every trial that has not ended, and
    commits each hyperparameter by itself: with many trials at a time that takes longer than
    everything else that a search decides. A run folder's lock lets one process write. So it
    thinks on a copy in memory, of whose trials each is written here as soon as it is whole.

    Args:
        storage: Where the study is kept.
        name: Its name there; it is made if there is none.
        direction: Whether large or small values are good.
    """

    def __init__(self, storage: BaseStorage, *, name: str, direction: StudyDirection) -> None:
        self._study = optuna.create_study(
            storage=storage, study_name=name, direction=direction, load_if_exists=True
        )
        self._storage = storage
        self._study_id = storage.get_study_id_from_name(name)
        self._ids = {trial.number: trial._trial_id for trial in self._trials()}

    def in_memory(self) -> optuna.Study:
        """Return a copy of the study, with the same numbers of trials."""
        study = optuna.create_study(storage=InMemoryStorage(), direction=self._study.direction)
        study.add_trials(self._trials())
        return study

    def add(self, trials: Sequence[FrozenTrial]) -> None:
        """Write trials that have ended elsewhere."""
        for trial in trials:
            self._create(trial)

    def begin(self, trial: FrozenTrial) -> None:
        """Write a trial that begins, with all that it begins with, or that goes on."""
        if trial.number not in self._ids:
            self._ids[trial.number] = self._create(trial)
            return
        trial_id = self._ids[trial.number]
        self._storage.set_trial_state_values(trial_id, TrialState.RUNNING)
        for name, value in trial.params.items():
            known = trial.distributions[name]
            self._storage.set_trial_param(trial_id, name, known.to_internal_repr(value), known)
        for name, value in trial.user_attrs.items():
            self._storage.set_trial_user_attr(trial_id, name, value)

    def _create(self, trial: FrozenTrial) -> int:
        """Write a new trial in one transaction and return its id.

        ``create_new_trial`` asks a database about each hyperparameter before it writes it.
        """
        if not isinstance(self._storage, RDBStorage):
            return self._storage.create_new_trial(self._study_id, template_trial=trial)
        without_params = copy.copy(trial)
        without_params.params, without_params.distributions = {}, {}
        with _create_scoped_session(self._storage.scoped_session) as session:
            made = self._storage._get_prepared_new_trial(self._study_id, without_params, session)
            if rows := _rows(trial, int(made.trial_id)):
                session.execute(insert(TrialParamModel), rows)
            return int(made.trial_id)

    def report(self, number: int, *, epoch: int, value: float) -> None:
        """Write the value of an epoch."""
        self._storage.set_trial_intermediate_value(self._ids[number], epoch, value)

    def note_of(self, number: int, facts: Mapping[str, Any]) -> None:
        """Write facts about a trial, by name."""
        for name, value in facts.items():
            self._storage.set_trial_user_attr(self._ids[number], name, value)

    def end(self, trial: FrozenTrial, notes: Mapping[str, Any]) -> None:
        """Write how a trial ended, to a database in one transaction.

        Args:
            trial: The trial, with state and value.
            notes: User attributes that its end adds.
        """
        storage, trial_id = self._storage, self._ids[trial.number]
        if not isinstance(storage, RDBStorage):
            self.note_of(trial.number, notes)
            storage.set_trial_state_values(trial_id, trial.state, trial.values)
            return
        with _create_scoped_session(storage.scoped_session) as session:
            kept = TrialModel.find_or_raise_by_id(trial_id, session, for_update=True)
            for name, noted in notes.items():
                storage._set_trial_attr_without_commit(
                    session, TrialUserAttributeModel, trial_id, name, noted
                )
            for objective, value in enumerate(trial.values or ()):
                storage._set_trial_value_without_commit(session, kept, objective, value)
            kept.state, kept.datetime_complete = trial.state, trial.datetime_complete

    def put_back(self, number: int) -> None:
        """Write that a trial waits to be gone on with."""
        self._storage.set_trial_state_values(self._ids[number], TrialState.WAITING)

    def note(self, name: str, value: Any) -> None:  # noqa: ANN401 - whatever JSON can hold
        """Keep a fact about the search as a whole."""
        self._study.set_user_attr(name, value)

    def noted(self, name: str, default: Any) -> Any:  # noqa: ANN401
        """Return a fact kept by ``note``."""
        return self._study.user_attrs.get(name, default)

    def close(self) -> None:
        """Close what the storage has open, so that its folder can be renamed."""
        if isinstance(self._storage, RDBStorage):
            self._storage.remove_session()
            self._storage.engine.dispose()

    def _trials(self) -> list[FrozenTrial]:
        return self._study.get_trials(deepcopy=False)


def _rows(trial: FrozenTrial, trial_id: int) -> list[dict[str, Any]]:
    """Return a trial's hyperparameters as rows of Optuna's table of them."""
    return [
        {
            "trial_id": trial_id,
            "param_name": name,
            "param_value": known.to_internal_repr(trial.params[name]),
            "distribution_json": distribution_to_json(known),
        }
        for name, known in trial.distributions.items()
    ]

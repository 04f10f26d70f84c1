"""The study as it is kept: what a search has decided, written in as few transactions as can be."""

import copy
import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import optuna
from optuna.distributions import distribution_to_json
from optuna.storages import BaseStorage, InMemoryStorage, RDBStorage
from optuna.storages._rdb.models import (
    StudyModel,
    StudyUserAttributeModel,
    TrialIntermediateValueModel,
    TrialModel,
    TrialParamModel,
    TrialUserAttributeModel,
)
from optuna.storages._rdb.storage import _create_scoped_session
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import insert
from sqlalchemy.orm import Session

# To have a transaction on a disk takes as long as deciding on several results.
WRITE_EVERY_S = 1.0


class StudyRecord:
    """Writes a study, and reads it once.

    A database answers each of Optuna's questions by reading every trial that has not ended, and
    commits each hyperparameter by itself: with many trials at a time that takes longer than
    everything else that a search decides. A run folder's lock lets one process write. So it
    thinks on a copy in memory, of whose trials each is written here as soon as it is whole.

    That a trial begins or ends is written at once. The values of epochs, which the trial's folder
    has, too, and notes are written at once if nothing was for a second, else together: with what
    is written next, or by ``settle``.

    Args:
        storage: Where the study is kept.
        name: Its name there; it is made if there is none.
        direction: Whether large or small values are good.
        clock: Seconds from any start.
    """

    def __init__(
        self,
        storage: BaseStorage,
        *,
        name: str,
        direction: StudyDirection,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._study = optuna.create_study(
            storage=storage, study_name=name, direction=direction, load_if_exists=True
        )
        self._storage = storage
        self._study_id = storage.get_study_id_from_name(name)
        self._ids = {trial.number: trial._trial_id for trial in self._trials()}
        self._clock = clock
        self._wrote_s = clock() - WRITE_EVERY_S
        self._reports: list[tuple[int, int, float]] = []
        self._notes_of: dict[int, dict[str, Any]] = {}
        self._notes: dict[str, Any] = {}

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
            trial_id = int(made.trial_id)
            if rows := _rows(trial, trial_id):
                session.execute(insert(TrialParamModel), rows)
            self._write_late(self._storage, session)
        self._has_written()
        return trial_id

    def report(self, number: int, *, epoch: int, value: float) -> None:
        """Write the value of an epoch, the trial's first of that number."""
        self._reports.append((self._ids[number], epoch, value))
        self.settle()

    def note_of(self, number: int, facts: Mapping[str, Any]) -> None:
        """Write facts about a trial, by name."""
        self._notes_of.setdefault(number, {}).update(facts)
        self.settle()

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
            self._write_late(storage, session)
            kept = TrialModel.find_or_raise_by_id(trial_id, session, for_update=True)
            _note_of(storage, session, trial_id, notes)
            for objective, value in enumerate(trial.values or ()):
                storage._set_trial_value_without_commit(session, kept, objective, value)
            kept.state, kept.datetime_complete = trial.state, trial.datetime_complete
        self._has_written()

    def put_back(self, number: int) -> None:
        """Write that a trial waits to be gone on with."""
        self.settle(now=True)
        self._storage.set_trial_state_values(self._ids[number], TrialState.WAITING)

    def note(self, name: str, value: Any) -> None:  # noqa: ANN401 - whatever JSON can hold
        """Keep a fact about the search as a whole."""
        self._notes[name] = value
        self.settle()

    def noted(self, name: str, default: Any) -> Any:  # noqa: ANN401
        """Return a fact kept by ``note``."""
        return {**self._study.user_attrs, **self._notes}.get(name, default)

    def settle(self, *, now: bool = False) -> None:
        """Write what is left to write, if nothing was written for a second.

        Args:
            now: Write it in any case.
        """
        if not (self._reports or self._notes_of or self._notes):
            return
        if not isinstance(self._storage, RDBStorage):  # in memory: nothing waits for a disk
            self._write_one_by_one()
        elif not now and self._clock() - self._wrote_s < WRITE_EVERY_S:
            return
        else:
            with _create_scoped_session(self._storage.scoped_session) as session:
                self._write_late(self._storage, session)
        self._has_written()

    def _write_late(self, storage: RDBStorage, session: Session) -> None:
        """Write in a transaction what was left for later."""
        if self._reports:
            rows = [_row_of_value(*report) for report in self._reports]
            session.execute(insert(TrialIntermediateValueModel), rows)
        for number, facts in self._notes_of.items():
            _note_of(storage, session, self._ids[number], facts)
        if self._notes:
            study = StudyModel.find_or_raise_by_id(self._study_id, session)
        for name, value in self._notes.items():
            kept = StudyUserAttributeModel.find_by_study_and_key(study, name, session)
            if kept is None:
                kept = StudyUserAttributeModel(study_id=self._study_id, key=name)
                session.add(kept)
            kept.value_json = json.dumps(value)

    def _write_one_by_one(self) -> None:
        for trial_id, epoch, value in self._reports:
            self._storage.set_trial_intermediate_value(trial_id, epoch, value)
        for number, facts in self._notes_of.items():
            for name, value in facts.items():
                self._storage.set_trial_user_attr(self._ids[number], name, value)
        for name, value in self._notes.items():
            self._study.set_user_attr(name, value)

    def _has_written(self) -> None:
        """Take in that a transaction with all that was left has been carried out."""
        self._wrote_s = self._clock()
        self._reports, self._notes_of, self._notes = [], {}, {}

    def close(self) -> None:
        """Write what is left, and close what is open, so that the folder can be renamed."""
        self.settle(now=True)
        if isinstance(self._storage, RDBStorage):
            self._storage.remove_session()
            self._storage.engine.dispose()

    def _trials(self) -> list[FrozenTrial]:
        return self._study.get_trials(deepcopy=False)


def _note_of(
    storage: RDBStorage, session: Session, trial_id: int, facts: Mapping[str, Any]
) -> None:
    for name, value in facts.items():
        storage._set_trial_attr_without_commit(
            session, TrialUserAttributeModel, trial_id, name, value
        )


def _row_of_value(trial_id: int, epoch: int, value: float) -> dict[str, Any]:
    """Return an epoch's value as a row of Optuna's table of them."""
    stored, kind = TrialIntermediateValueModel.intermediate_value_to_stored_repr(value)
    return {
        "trial_id": trial_id,
        "step": epoch,
        "intermediate_value": stored,
        "intermediate_value_type": kind,
    }


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

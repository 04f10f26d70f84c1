"""What becomes of each trial: every event of a search, told to study, scheduler and user."""

import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, Protocol

from optuna.trial import TrialState

from analysis.study_file import CONFIG, REASON
from search.books import Books, Suggestion
from search.failures import Avoided, check_share
from search.schedulers.base import Scheduler
from search.schedulers.grace import own_grace
from search.study import SearchStudy
from search.weights import TrialFiles
from trainable.errors import SearchError
from trainable.files import remove
from trainable.objective import Objective
from trainable.ownership import end_ownership
from trainable.trial_folder import trial_id

WORKED_S = "worked_s"
# A kill loses at most so much of the time that counts, and the epoch under way.
NOTE_WORKED_EVERY_S = 5.0
State = Literal["complete", "pruned", "failed", "waiting"]


class Audience(Protocol):
    """Whoever is told how the search goes."""

    def trial_started(self, number: int, config: Mapping[str, Any]) -> None:
        """A trial begins or goes on."""

    def epoch_reported(self, number: int, epoch: int, value: float, best: float) -> None:
        """A trial has done an epoch."""

    def trial_ended(
        self, number: int, state: State, *, reason: str, value: float | None, epochs: int
    ) -> None:
        """A trial has ended, or waits to be gone on with."""

    def disk_used(self, num_bytes: int) -> None:
        """The folders of all ended trials take so much."""

    def note(self, text: str) -> None:
        """Something else that the user should read."""


class Ledger(Books):
    """Keeps the books of a search, whatever engine runs its trials.

    Opened on the study of an earlier process it goes on where that ended: the scheduler knows
    what it knew, and trials cut off are handed out first.

    Args:
        study: The record.
        scheduler: Decides which trials stop early.
        audience: Is told of every event.
        run_folder: Folder of the search.
        objective: What is optimised.
        num_trials: Trials that the study shall have in the end.
        max_concurrent: Trials at a time, None for as many as the engine can run; a function
            where that changes as the search runs.
        keep_checkpoints: Number of the best trials whose weights are kept.
        max_failed_share: Largest share of the trials begun by this process that may fail.
    """

    def __init__(
        self,
        study: SearchStudy,
        scheduler: Scheduler,
        audience: Audience,
        *,
        run_folder: Path,
        objective: Objective,
        num_trials: int,
        max_concurrent: int | Callable[[], int] | None,
        keep_checkpoints: int,
        max_failed_share: float,
    ) -> None:
        self.study = study
        self._scheduler = scheduler
        self._audience = audience
        self._run_folder = run_folder
        self._objective = objective
        self._max_concurrent = max_concurrent
        self._files = TrialFiles(run_folder, num_kept=keep_checkpoints)
        self._running: dict[int, int] = {}
        self._stopped: set[int] = set()
        self._graces: dict[int, int] = {}
        self._avoided = Avoided()
        self._begun: set[int] = set()
        self._max_failed_share = max_failed_share
        self._worked_before_s = float(study.noted(WORKED_S, 0.0))
        self._start_s = time.monotonic()
        self._noted_s = self._worked_before_s
        self._recover()
        self._num_left = study.num_to_run(num_trials)

    @property
    def worked_s(self) -> float:
        """Return the seconds that the search has run for, in this process and earlier ones."""
        return self._worked_before_s + time.monotonic() - self._start_s

    @property
    def is_exhausted(self) -> bool:
        """Return whether every trial has been handed out."""
        return self._num_left <= 0

    @property
    def is_full(self) -> bool:
        """Return whether as many trials run as may at a time."""
        limit = self._max_concurrent
        limit = limit() if callable(limit) else limit
        return limit is not None and len(self._running) >= limit

    def next_trial(self) -> Suggestion | None:
        """Hand out a trial; None where the next one ends before it begins.

        That is one whose space fails, or one that was interrupted just as it was stopped.

        Raises:
            SearchError: If too many trials have failed.
        """
        suggestion = self.study.ask()
        number = suggestion.number
        self._num_left -= 1
        self._begun.add(number)
        self._running[number] = self.study.epochs_reported(number)
        if suggestion.problem:
            self._fail(number, suggestion.problem)
            return None
        self._audience.trial_started(number, suggestion.config)
        self._graces[number] = own_grace(suggestion.config)
        self._take_up(number)
        if number in self._stopped:
            self._end(number, "pruned", self._scheduler.name)
            return None
        return suggestion

    def epoch_done(self, number: int, result: Mapping[str, Any]) -> bool:
        """Record an epoch and return whether the trial should stop there.

        An epoch before it whose result was lost with a worker is recorded first.

        Args:
            number: The trial.
            result: What ``TrainTrial.step`` returned; of an epoch recorded before, nothing
                happens.
        """
        if note := result.get("note"):
            self._audience.note(f"trial {trial_id(number)}: {note}")
        epoch = int(result["epoch"])
        if epoch > self._running[number] + 1:
            for missed, value in self._unreported(number):
                if missed < epoch:
                    self._record(number, missed, value)
        if epoch > self._running[number]:
            self._record(number, epoch, float(result[self._objective.metric]))
        return number in self._stopped

    def ended(self, number: int, result: Mapping[str, Any] | None, *, died: bool) -> None:
        """Record the end of a trial, or that it was interrupted.

        Args:
            number: The trial.
            result: Its last result, if it had one.
            died: Whether its process died too often.

        Raises:
            SearchError: If too many trials have failed, or the trial's worker says that no other
                one would do better.
        """
        if number not in self._running:
            return
        result = result or {}
        if result.get("stop_search"):
            self._put_back(number)
            raise SearchError(str(result["failed"]))
        if died or result.get("failed"):
            self._fail(number, str(result.get("failed") or self.last_words(number)))
            return
        if "epoch" in result:
            self.epoch_done(number, result)
        if result.get("finished"):
            self._end(number, "complete", str(result["finished"]))
        elif number in self._stopped:
            self._end(number, "pruned", self._scheduler.name)
        else:
            self._put_back(number)

    def note_of(self, number: int, facts: Mapping[str, Any]) -> None:
        """Keep facts about a running trial, by name."""
        self.study.note_of(number, facts)

    def note(self, text: str) -> None:
        """Tell the user."""
        self._audience.note(text)

    def home(self, number: int) -> Path:
        """Return the run folder, which has all trials."""
        del number
        return self._run_folder

    def settle(self) -> None:
        """Write what was left for later, if nothing was written for a second."""
        self.study.settle()

    def put_back_running(self) -> None:
        """Put back every trial that has not ended, since nothing runs it any more."""
        for number in list(self._running):
            self._put_back(number)

    def _recover(self) -> None:
        """Take over what an earlier process left: curves, trials cut off, half-written files.

        Whether a trial that was cut off should stop at its last epoch is decided when it is
        handed out.
        """
        for folder in self._run_folder.glob("trials/*"):
            end_ownership(folder)
        self.study.put_back_orphans()
        for aside in self._run_folder.glob("trials/*/**/.*"):
            remove(aside)
        for trial in self.study.trials:
            curve = self.study.curve(trial.number)
            if not trial.state.is_finished():
                curve.pop(max(curve, default=0), None)
            grace = own_grace(trial.user_attrs.get(CONFIG, {}))
            self._scheduler.replay(trial.number, curve, grace=grace)
        self._files.take_over(self._values(), self._reasons())
        self._audience.disk_used(self._files.num_bytes)
        self._avoid_what_fails()

    def _take_up(self, number: int) -> None:
        """Record what a trial did before it was cut off, and whether it stops there.

        The epochs that it wrote and nobody was told of are recorded. That is decided at the last
        one alone: a worker begins an epoch once it was told to go on after the one before, with
        what was known then.
        """
        unreported = self._unreported(number)
        self._judge(number, self._running[number], has_gone_on=bool(unreported))
        for epoch, value in unreported:
            self._record(number, epoch, value, has_gone_on=epoch < unreported[-1][0])

    def _unreported(self, number: int) -> list[tuple[int, float]]:
        """Return the epochs that a trial wrote and nobody was told of, with their values."""
        rows = self.folder(number).read_metrics()
        values = [(int(row["epoch"]), float(row[self._objective.metric])) for row in rows]
        return [(epoch, value) for epoch, value in values if epoch > self._running[number]]

    def _record(self, number: int, epoch: int, value: float, *, has_gone_on: bool = False) -> None:
        self.study.report(number, epoch=epoch, value=value)
        self._running[number] = epoch
        self._note_worked()
        best = self._judge(number, epoch, has_gone_on=has_gone_on)
        self._audience.epoch_reported(number, epoch, value, best)

    def _judge(self, number: int, epoch: int, *, has_gone_on: bool = False) -> float:
        """Decide at an epoch that has been recorded; return the trial's best value up to then.

        Args:
            number: The trial.
            epoch: The epoch; 0 for none.
            has_gone_on: Whether it was decided before.
        """
        if epoch == 0:
            return math.nan
        value, grace = self.study.curve(number)[epoch], self._graces[number]
        if has_gone_on:
            self._scheduler.replay(number, {epoch: value}, grace=grace)
        elif self._scheduler.should_stop(number, epoch=epoch, value=value, grace=grace):
            self._stopped.add(number)
        _, best = self.study.best(number)
        return best

    def _end(self, number: int, state: Literal["complete", "pruned"], reason: str) -> None:
        folder = self.folder(number)
        seconds = sum(row["seconds"] for row in folder.read_metrics())
        tell = self.study.complete if state == "complete" else self.study.prune
        value = tell(number, reason=reason, seconds=seconds)
        epochs = self._leave(number)
        self._files.ended(number, self._values())
        self._audience.disk_used(self._files.num_bytes)
        self._audience.trial_ended(number, state, reason=reason, value=value, epochs=epochs)

    def _fail(self, number: int, reason: str) -> None:
        self.study.fail(number, reason=reason)
        epochs = self._leave(number)
        self._files.failed(number, reason)
        self._audience.disk_used(self._files.num_bytes)
        self._audience.trial_ended(number, "failed", reason=reason, value=None, epochs=epochs)
        trials = self.study.trials
        check_share(trials, begun=self._begun, max_share=self._max_failed_share)
        self._avoid_what_fails()

    def _avoid_what_fails(self) -> None:
        for trait in self._avoided.update(self.study.trials):
            self.note(f"{trait}: not suggested any more")
        self.study.avoid(self._avoided.values)

    def _put_back(self, number: int) -> None:
        self.study.put_back(number)
        epochs = self._leave(number)
        self._num_left += 1
        self._audience.trial_ended(
            number, "waiting", reason="interrupted", value=None, epochs=epochs
        )

    def _leave(self, number: int) -> int:
        """Take a trial off the list of running ones; return its epochs."""
        end_ownership(self.folder(number).path)
        return self._running.pop(number)

    def _note_worked(self) -> None:
        if self.worked_s - self._noted_s >= NOTE_WORKED_EVERY_S:
            self._noted_s = self.worked_s
            self.study.note(WORKED_S, self._noted_s)

    def _values(self) -> dict[int, float]:
        """Return the value of each trial that has one, larger is better."""
        return {
            trial.number: self._objective.sign * trial.value
            for trial in self.study.trials
            if trial.state in (TrialState.COMPLETE, TrialState.PRUNED) and trial.value is not None
        }

    def _reasons(self) -> dict[int, str]:
        """Return why each failed trial failed."""
        failed = (trial for trial in self.study.trials if trial.state == TrialState.FAIL)
        return {trial.number: str(trial.user_attrs.get(REASON, "")) for trial in failed}

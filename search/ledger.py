"""What becomes of each trial: every event of a search, told to the study, the rungs, the user."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Protocol

from optuna.trial import TrialState

from search.rungs import Rungs
from search.study import SearchStudy, Suggestion
from search.weights import keep_weights_of_best
from trainable.checkpoint import drop_last
from trainable.errors import SearchError
from trainable.objective import Objective
from trainable.trial_folder import TrialFolder

HOPELESS_FAILURES = 5
WORKED_S = "worked_s"
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

    def note(self, text: str) -> None:
        """Something else that the user should read."""


class Ledger:
    """Keeps the books of a search, whatever engine runs its trials.

    Opened on the study of an earlier process it goes on where that ended: the rungs are as they
    were, and trials cut off are handed out first.

    Args:
        study: The record.
        rungs: Decides which trials stop early.
        audience: Is told of every event.
        run_folder: Folder of the search.
        objective: What is optimised.
        num_trials: Trials that the study shall have in the end.
        max_concurrent: Trials at a time, None for as many as the engine can run.
        keep_checkpoints: Number of the best trials whose weights are kept.
    """

    def __init__(
        self,
        study: SearchStudy,
        rungs: Rungs,
        audience: Audience,
        *,
        run_folder: Path,
        objective: Objective,
        num_trials: int,
        max_concurrent: int | None,
        keep_checkpoints: int,
    ) -> None:
        self.study = study
        self._rungs = rungs
        self._audience = audience
        self._run_folder = run_folder
        self._objective = objective
        self._max_concurrent = max_concurrent
        self._keep_checkpoints = keep_checkpoints
        self._running: dict[int, int] = {}
        self._stopped: set[int] = set()
        self._num_failed_in_a_row = 0
        self._recover()
        self._num_left = study.num_to_run(num_trials)

    @property
    def is_exhausted(self) -> bool:
        """Return whether every trial has been handed out."""
        return self._num_left <= 0

    @property
    def is_full(self) -> bool:
        """Return whether as many trials run as may at a time."""
        return self._max_concurrent is not None and len(self._running) >= self._max_concurrent

    def next_trial(self) -> Suggestion:
        """Hand out a trial."""
        suggestion = self.study.ask()
        number = suggestion.number
        self._num_left -= 1
        self._running[number] = self.study.epochs_reported(number)
        self._record_unreported(number)
        if self._running[number]:
            self._rungs.replay(number, self.study.running_best(number))
        self._audience.trial_started(number, suggestion.config)
        return suggestion

    def epoch_done(self, number: int, result: Mapping[str, Any]) -> bool:
        """Record an epoch and return whether the trial should stop there.

        Args:
            number: The trial.
            result: What ``TrainTrial.step`` returned; of an epoch recorded before, nothing
                happens.
        """
        epoch = int(result["epoch"])
        if epoch <= self._running[number]:
            return number in self._stopped
        value = float(result[self._objective.metric])
        self._record(number, epoch, value)
        _, best = self.study.best(number)
        self._audience.epoch_reported(number, epoch, value, best)
        if self._rungs.should_stop(number, epoch=epoch, best=self._objective.sign * best):
            self._stopped.add(number)
        return number in self._stopped

    def ended(self, number: int, result: Mapping[str, Any] | None, *, died: bool) -> None:
        """Record the end of a trial, or that it was interrupted.

        Args:
            number: The trial.
            result: Its last result, if it had one.
            died: Whether its process died too often.

        Raises:
            SearchError: If the first trials all failed.
        """
        if number not in self._running:
            return
        result = result or {}
        if died or result.get("failed"):
            self._fail(number, str(result.get("failed") or self._last_words(number)))
            return
        if "epoch" in result:
            self.epoch_done(number, result)
        if result.get("finished"):
            self._end(number, "complete", str(result["finished"]))
        elif number in self._stopped:
            self._end(number, "pruned", "asha")
        else:
            self._put_back(number)

    def put_back_running(self) -> None:
        """Put back every trial that has not ended, since nothing runs it any more."""
        for number in list(self._running):
            self._put_back(number)

    def _recover(self) -> None:
        """Take over what an earlier process left: its rungs, and its trials cut off."""
        self.study.put_back_orphans()
        for trial in self.study.trials:
            self._rungs.replay(trial.number, self.study.running_best(trial.number))

    def _record(self, number: int, epoch: int, value: float) -> None:
        self.study.report(number, epoch=epoch, value=value)
        self._running[number] = epoch

    def _record_unreported(self, number: int) -> None:
        """Record the epochs that the trial had written when the search was killed."""
        for row in TrialFolder.of(self._run_folder, number).read_metrics():
            if row["epoch"] > self._running[number]:
                self._record(number, int(row["epoch"]), float(row[self._objective.metric]))

    def _end(self, number: int, state: Literal["complete", "pruned"], reason: str) -> None:
        folder = TrialFolder.of(self._run_folder, number)
        seconds = sum(row["seconds"] for row in folder.read_metrics())
        tell = self.study.complete if state == "complete" else self.study.prune
        value = tell(number, reason=reason, seconds=seconds)
        self._num_failed_in_a_row = 0
        epochs = self._running.pop(number)
        drop_last(folder.checkpoint)
        self._thin_out()
        self._audience.trial_ended(number, state, reason=reason, value=value, epochs=epochs)

    def _fail(self, number: int, reason: str) -> None:
        self.study.fail(number, reason=reason)
        epochs = self._running.pop(number)
        folder = TrialFolder.of(self._run_folder, number)
        if not folder.error.exists():
            folder.write_error(reason)
        drop_last(folder.checkpoint)
        self._audience.trial_ended(number, "failed", reason=reason, value=None, epochs=epochs)
        self._num_failed_in_a_row += 1
        if self._num_failed_in_a_row >= HOPELESS_FAILURES:
            raise SearchError(
                f"trials: {HOPELESS_FAILURES} failed one after the other, the last with: {reason}"
            )

    def _put_back(self, number: int) -> None:
        self.study.put_back(number)
        epochs = self._running.pop(number)
        self._num_left += 1
        self._audience.trial_ended(
            number, "waiting", reason="interrupted", value=None, epochs=epochs
        )

    def _last_words(self, number: int) -> str:
        error = TrialFolder.of(self._run_folder, number).error
        lines = error.read_text().strip().splitlines() if error.exists() else []
        return lines[-1] if lines else "its process died"

    def _thin_out(self) -> None:
        values = {
            trial.number: self._objective.sign * trial.value
            for trial in self.study.trials
            if trial.state in (TrialState.COMPLETE, TrialState.PRUNED) and trial.value is not None
        }
        keep_weights_of_best(self._run_folder, values, num_kept=self._keep_checkpoints)

"""What becomes of each trial: every event of a search, told to the study, the rungs, the user."""

import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Protocol

from optuna.trial import TrialState

from search.rungs import Rungs
from search.study import SearchStudy, Suggestion
from search.weights import keep_weights_of_best
from trainable.checkpoint import drop_last
from trainable.errors import SearchError
from trainable.files import remove
from trainable.objective import Objective
from trainable.trial_folder import TrialFolder

HOPELESS_FAILURES = 5
WORKED_S = "worked_s"
ASHA = "asha"
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
        self._num_failed = 0
        self._worked_before_s = float(study.noted(WORKED_S, 0.0))
        self._start_s = time.monotonic()
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
        return self._max_concurrent is not None and len(self._running) >= self._max_concurrent

    def next_trial(self) -> Suggestion | None:
        """Hand out a trial; None where the next one ends before it begins.

        That is one whose space fails, or one that was interrupted just as a rung stopped it.

        Raises:
            SearchError: If nothing but failures has come of the search.
        """
        suggestion = self.study.ask()
        number = suggestion.number
        self._num_left -= 1
        self._running[number] = self.study.epochs_reported(number)
        if suggestion.problem:
            self._fail(number, suggestion.problem)
            return None
        self._audience.trial_started(number, suggestion.config)
        self._judge(number, self._running[number])
        self._record_unreported(number)
        if number in self._stopped:
            self._end(number, "pruned", ASHA)
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
        epoch = int(result["epoch"])
        if epoch > self._running[number] + 1:
            self._record_unreported(number, before=epoch)
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
            SearchError: If nothing but failures has come of the search, or the trial's worker says
                that no other one would do better.
        """
        if number not in self._running:
            return
        result = result or {}
        if result.get("stop_search"):
            self._put_back(number)
            raise SearchError(str(result["failed"]))
        if died or result.get("failed"):
            self._fail(number, str(result.get("failed") or self._last_words(number)))
            return
        if "epoch" in result:
            self.epoch_done(number, result)
        if result.get("finished"):
            self._end(number, "complete", str(result["finished"]))
        elif number in self._stopped:
            self._end(number, "pruned", ASHA)
        else:
            self._put_back(number)

    def put_back_running(self) -> None:
        """Put back every trial that has not ended, since nothing runs it any more."""
        for number in list(self._running):
            self._put_back(number)

    def _recover(self) -> None:
        """Take over what an earlier process left: rungs, trials cut off, half-written files.

        Whether a trial that was cut off at a rung should have stopped there is decided when it
        is handed out: its rung is not filled in before.
        """
        self.study.put_back_orphans()
        for aside in self._run_folder.glob("trials/*/**/.*"):
            remove(aside)
        for trial in self.study.trials:
            curve = self.study.running_best(trial.number)
            if not trial.state.is_finished():
                curve.pop(max(curve, default=0), None)
            self._rungs.replay(trial.number, curve)

    def _record(self, number: int, epoch: int, value: float) -> None:
        self.study.report(number, epoch=epoch, value=value)
        self._running[number] = epoch
        best = self._judge(number, epoch)
        self._audience.epoch_reported(number, epoch, value, best)

    def _judge(self, number: int, epoch: int) -> float:
        """Decide at an epoch that has been recorded; return the trial's best value up to then."""
        if epoch == 0:
            return math.nan
        _, best = self.study.best(number)
        if self._rungs.should_stop(number, epoch=epoch, best=self._objective.sign * best):
            self._stopped.add(number)
        return best

    def _record_unreported(self, number: int, *, before: float = math.inf) -> None:
        """Record the epochs that the trial wrote and nobody was told of."""
        for row in TrialFolder.of(self._run_folder, number).read_metrics():
            if self._running[number] < row["epoch"] < before:
                self._record(number, int(row["epoch"]), float(row[self._objective.metric]))

    def _end(self, number: int, state: Literal["complete", "pruned"], reason: str) -> None:
        folder = TrialFolder.of(self._run_folder, number)
        seconds = sum(row["seconds"] for row in folder.read_metrics())
        tell = self.study.complete if state == "complete" else self.study.prune
        value = tell(number, reason=reason, seconds=seconds)
        epochs = self._leave(number)
        drop_last(folder.checkpoint)
        self._thin_out()
        self._audience.trial_ended(number, state, reason=reason, value=value, epochs=epochs)

    def _fail(self, number: int, reason: str) -> None:
        self.study.fail(number, reason=reason)
        epochs = self._leave(number)
        folder = TrialFolder.of(self._run_folder, number)
        if not folder.error.exists():
            folder.write_error(reason)
        remove(folder.checkpoint)
        self._audience.trial_ended(number, "failed", reason=reason, value=None, epochs=epochs)
        self._num_failed += 1
        if self._num_failed >= HOPELESS_FAILURES and not self._values():
            raise SearchError(
                f"trials: all {self._num_failed} so far have failed, the last with: {reason}"
            )

    def _put_back(self, number: int) -> None:
        self.study.put_back(number)
        epochs = self._leave(number)
        self._num_left += 1
        self._audience.trial_ended(
            number, "waiting", reason="interrupted", value=None, epochs=epochs
        )

    def _leave(self, number: int) -> int:
        """Take a trial off the list of running ones; return its epochs."""
        self.study.note(WORKED_S, self.worked_s)
        return self._running.pop(number)

    def _last_words(self, number: int) -> str:
        error = TrialFolder.of(self._run_folder, number).error
        lines = error.read_text().strip().splitlines() if error.exists() else []
        return lines[-1] if lines else "its process died"

    def _thin_out(self) -> None:
        keep_weights_of_best(self._run_folder, self._values(), num_kept=self._keep_checkpoints)

    def _values(self) -> dict[int, float]:
        """Return the value of each trial that has one, larger is better."""
        return {
            trial.number: self._objective.sign * trial.value
            for trial in self.study.trials
            if trial.state in (TrialState.COMPLETE, TrialState.PRUNED) and trial.value is not None
        }

"""The books of a refit: every network once, none stopped early."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from search.books import Books, Suggestion
from search.refit.work import Job
from trainable.errors import SearchError
from trainable.files import remove
from trainable.ownership import end_ownership
from trainable.trial_folder import TrialFolder


class RefitAudience(Protocol):
    """Whoever is told how a refit goes."""

    def started(self, job: Job, epochs_done: int) -> None:
        """A network begins or goes on."""

    def epoch_done(self, job: Job, epoch: int) -> None:
        """A network has been trained for an epoch."""

    def ended(self, job: Job, *, epochs: int, failed: str) -> None:
        """A network is trained, or why it has failed."""

    def note(self, text: str) -> None:
        """Something else that the user should read."""


class RefitBooks(Books):
    """Hands out the networks that are not trained yet.

    Args:
        jobs: All networks.
        audience: Is told of every event.
        max_concurrent: Networks at a time.
    """

    def __init__(
        self, jobs: Sequence[Job], audience: RefitAudience, *, max_concurrent: int
    ) -> None:
        self._jobs = {job.number: job for job in jobs}
        self._waiting = [job for job in jobs if not job.is_done]
        self._running: set[int] = set()
        self._audience = audience
        self._max_concurrent = max_concurrent
        self.failed: dict[str, str] = {}
        for job in self._waiting:
            _end_earlier_worker(job.folder)

    @property
    def is_exhausted(self) -> bool:
        """Whether every network has been handed out."""
        return not self._waiting

    @property
    def is_full(self) -> bool:
        """Whether as many are trained as may at a time."""
        return len(self._running) >= self._max_concurrent

    def next_trial(self) -> Suggestion:
        """Hand out the next network."""
        job = self._waiting.pop(0)
        self._running.add(job.number)
        self._audience.started(job, len(job.folder.read_metrics()))
        config = job.ingredient.config.model_dump(mode="json")
        return Suggestion(job.number, config, settings=job.settings())

    def epoch_done(self, number: int, result: Mapping[str, Any]) -> bool:
        """Tell of an epoch; none is the last one before its time."""
        job = self._jobs[number]
        if note := result.get("note"):
            self.note(f"{job.name}: {note}")
        self._audience.epoch_done(job, int(result["epoch"]))
        return False

    def ended(self, number: int, result: Mapping[str, Any] | None, *, died: bool) -> None:
        """Keep that a network is trained, or why it failed; an interrupted one is neither.

        Raises:
            SearchError: If its worker says that no other one would do better.
        """
        if number not in self._running:
            return
        job, result = self._jobs[number], result or {}
        self._running.remove(number)
        end_ownership(job.folder.path)
        if result.get("stop_search"):
            raise SearchError(str(result["failed"]))
        reason = str(result.get("failed") or (self.last_words(number) if died else ""))
        if reason:
            self.failed[job.name] = reason
        elif result.get("finished"):
            job.note_done({"epochs": int(result["epoch"]), "reason": result["finished"]})
        else:
            return
        self._audience.ended(job, epochs=int(result.get("epoch", 0)), failed=reason)

    def note(self, text: str) -> None:
        """Tell the user."""
        self._audience.note(text)

    def home(self, number: int) -> Path:
        """Return the folder of the network's split."""
        return self._jobs[number].home


def _end_earlier_worker(folder: TrialFolder) -> None:
    """Refuse whatever a worker of a process that was killed would still write."""
    if folder.path.is_dir():
        end_ownership(folder.path)
    for half_written in folder.path.rglob(".*"):
        remove(half_written)

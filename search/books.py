"""The books that an engine works by: what it asks which trial is next, and tells of each."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trainable.files import remove, written_aside
from trainable.trial_folder import TrialFolder, trial_id

PROBE = "probe"
PROBE_BYTES = 2**16


@dataclass(frozen=True)
class Suggestion:
    """A trial to run.

    Args:
        number: Its number, which no other trial of the same books has.
        config: Hyperparameters, by flat name or nested.
        problem: What was wrong if the space could not suggest it, else "".
        settings: What its worker is told besides, over what all workers are told.
    """

    number: int
    config: dict[str, Any]
    problem: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)


class Books(ABC):
    """Hands out trials and takes in what becomes of them."""

    @property
    @abstractmethod
    def is_exhausted(self) -> bool:
        """Whether every trial has been handed out."""

    @property
    @abstractmethod
    def is_full(self) -> bool:
        """Whether as many trials run as may at a time."""

    @abstractmethod
    def next_trial(self) -> Suggestion | None:
        """Hand out a trial; None where the next one ends before it begins.

        Raises:
            SearchError: If nothing should go on.
        """

    @abstractmethod
    def epoch_done(self, number: int, result: Mapping[str, Any]) -> bool:
        """Take in an epoch and return whether the trial should stop there.

        Args:
            number: The trial.
            result: What ``TrainTrial.step`` returned.
        """

    @abstractmethod
    def ended(self, number: int, result: Mapping[str, Any] | None, *, died: bool) -> None:
        """Take in the end of a trial, or that it was interrupted.

        Args:
            number: The trial.
            result: Its last result, if it had one.
            died: Whether its process died too often.

        Raises:
            SearchError: If nothing should go on.
        """

    def note_of(self, number: int, facts: Mapping[str, Any]) -> None:
        """Keep facts about a running trial, by name, where there is a place for them."""
        del number, facts

    def settle(self) -> None:  # noqa: B027  nothing is left for later unless a book says so
        """Write what may have been left for later; called many times a second."""

    @abstractmethod
    def note(self, text: str) -> None:
        """Tell the user something that is worth a line."""

    @abstractmethod
    def home(self, number: int) -> Path:
        """Return the folder that has the trial's ``trials/ID`` in it."""

    def hung(self, number: int, silent_s: float) -> None:
        """Write down that nothing was heard of a trial for so long, before its worker is killed.

        Args:
            number: The trial.
            silent_s: Seconds without an epoch.
        """
        self.folder(number).write_error(f"hung: no epoch in {silent_s:.0f} s")

    def worker_failed(self, number: int, error: str) -> None:
        """Write down why a trial's worker could not be started, as it could not itself."""
        self.folder(number).write_error(error)

    def tried_again(self, number: int) -> None:
        """Take in that a trial's process died or was killed, and that another one goes on with it.

        Raises:
            UnwritableError: If that was because nothing can be written to its folder.
        """
        probe = self.home(number) / PROBE
        with written_aside(probe) as aside:
            aside.write_bytes(bytes(PROBE_BYTES))
        remove(probe)
        self.note(
            f"trial {trial_id(number)}: {self.last_words(number)}; it is tried again from its "
            "last epoch"
        )

    def folder(self, number: int) -> TrialFolder:
        """Return where a trial's files are."""
        return TrialFolder.of(self.home(number), number)

    def last_words(self, number: int) -> str:
        """Return the last line of what a trial's worker wrote of its failure."""
        error = self.folder(number).error
        lines = error.read_text().strip().splitlines() if error.exists() else []
        return lines[-1] if lines else "its process died"

"""What a search needs of a tracking server, whoever makes it."""

import importlib.util
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from search.ledger import State
from trainable.errors import ConfigError, expected


@dataclass(frozen=True)
class TrackedSearch:
    """The search that is logged.

    Args:
        name: Name of the run.
        tracking_id: Says of what a server has that it is of this search; no other one has it.
        run_folder: Its folder.
    """

    name: str
    tracking_id: str
    run_folder: Path


@dataclass(frozen=True)
class Received:
    """What a server has of a trial.

    Args:
        epochs: The last epoch, 0 if none.
        has_ended: Whether it knows how the trial ended.
    """

    epochs: int = 0
    has_ended: bool = False


@dataclass(frozen=True)
class TrialEnd:
    """How a trial ended.

    Args:
        state: complete, pruned, failed, or waiting for one that was put back.
        reason: Why.
        value: What it is ranked by, None if it has nothing.
    """

    state: State
    reason: str
    value: float | None

    @property
    def is_final(self) -> bool:
        """Return whether the trial will not be gone on with."""
        return self.state != "waiting"


class Tracker(ABC):
    """A tracking server, called by one thread; every method may raise anything.

    A search that goes on, or a server that was away, has methods called again: what they send
    is there once all the same.
    """

    name: ClassVar[str]
    package: ClassVar[str]
    extra: ClassVar[str]

    @classmethod
    def check(cls) -> None:
        """Check, without sending anything, that the server can be logged to.

        Raises:
            ConfigError: If a package or credentials are missing, or nobody answers.
        """
        if importlib.util.find_spec(cls.package) is None:
            what = f"{cls.package} to be installed"
            remedy = f"pip install 'classifier-search[{cls.extra}]'."
            raise ConfigError(expected(f"--log-to {cls.name}", what, "no such package", remedy))

    @abstractmethod
    def open(self, search: TrackedSearch) -> None:
        """Connect; make what all trials of a search are grouped under, if it is not there."""

    @abstractmethod
    def begin(self, number: int, config: Mapping[str, Any]) -> Received:
        """Make a trial there, or go on with the one there is; return what is there of it.

        Args:
            number: The trial.
            config: Its hyperparameters, flat.
        """

    @abstractmethod
    def log(self, number: int, rows: Sequence[Mapping[str, float]]) -> None:
        """Send epochs of a trial that was begun.

        Args:
            number: The trial.
            rows: Finite metrics by name, among them ``epoch``, in the order of epochs.
        """

    @abstractmethod
    def end(self, number: int, end: TrialEnd, files: Sequence[Path]) -> None:
        """Send how a trial that was begun has ended, and its files if it has for good."""

    @abstractmethod
    def close(self, *, is_done: bool) -> None:
        """End the connection; say whether the search has come to its end or can go on."""

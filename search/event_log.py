"""The log of a search for machines: ``events.jsonl``, a JSON object a line."""

import json
import math
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from search.ledger import Audience, State
from trainable.files import written_to
from trainable.objective import Objective
from trainable.run_files import EVENTS_FILE

Ending = Literal["done", "time budget used up", "interrupted", "failed"]


class EventLog(Audience):
    """Appends every event of a search to ``events.jsonl``; earlier processes' lines stay.

    Each line has ``at`` (UTC, ISO 8601, milliseconds) and ``event``, and by event:

    - ``search_started``: ``run``, ``metric``, ``mode`` (max or min), ``trials``, ``resumed``
    - ``trial_started``: ``trial``, ``config`` (flat); also of one that goes on
    - ``epoch``: ``trial``, ``epoch`` (from 1), ``value``, ``best``
    - ``trial_ended``: ``trial``, ``state`` (complete, pruned, failed, or waiting for one that was
      put back), ``reason``, ``value``, ``epochs``
    - ``disk_used``: ``bytes`` of all ended trials
    - ``note``: ``text``
    - ``search_ended``: ``how`` (done, time budget used up, interrupted, failed), ``reason``

    Trials are numbers, as in the study. A value that is no number is null.

    Args:
        run_folder: Folder of the search.
        objective: What is searched for.
        num_trials: Trials that the search shall have in the end.
        clock: The time of an event.
    """

    def __init__(
        self,
        run_folder: Path,
        *,
        objective: Objective,
        num_trials: int,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.path = run_folder / EVENTS_FILE
        self._objective = objective
        self._num_trials = num_trials
        self._clock = clock
        self._has_ended = False

    def __enter__(self) -> Self:
        """Open the file and write that the search starts or goes on."""
        with written_to(self.path):
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
        resumed = _drop_torn_line(self._file)
        self._write(
            "search_started",
            run=self.path.parent.name,
            metric=self._objective.metric,
            mode=self._objective.mode,
            trials=self._num_trials,
            resumed=resumed,
        )
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Write how the search ended, if that could not be told, and close the file."""
        try:
            if error is not None and not self._has_ended:
                self.search_ended(
                    "failed" if isinstance(error, Exception) else "interrupted", reason=str(error)
                )
        except OSError:  # a full disk, which is the error or follows from it
            if error is None:
                raise
        finally:
            os.close(self._file)

    def trial_started(self, number: int, config: Mapping[str, Any]) -> None:
        """Write that a trial begins or goes on."""
        self._write("trial_started", trial=number, config=dict(config))

    def epoch_reported(self, number: int, epoch: int, value: float, best: float) -> None:
        """Write an epoch."""
        self._write("epoch", trial=number, epoch=epoch, value=value, best=best)

    def trial_ended(
        self, number: int, state: State, *, reason: str, value: float | None, epochs: int
    ) -> None:
        """Write that a trial has ended, or waits to be gone on with."""
        facts = {"state": state, "reason": reason, "value": value, "epochs": epochs}
        self._write("trial_ended", trial=number, **facts)

    def disk_used(self, num_bytes: int) -> None:
        """Write what the folders of all ended trials take."""
        self._write("disk_used", bytes=num_bytes)

    def note(self, text: str) -> None:
        """Write what the user is told besides."""
        self._write("note", text=text)

    def search_ended(self, how: Ending, *, reason: str = "") -> None:
        """Write how this process ended the search."""
        self._has_ended = True
        self._write("search_ended", how=how, reason=reason)

    def _write(self, event: str, **facts: Any) -> None:  # noqa: ANN401
        """Append a line in one go, so that no kill and no reader sees half of it."""
        at = self._clock().isoformat(timespec="milliseconds")
        line = json.dumps({"at": at, "event": event} | _numbers_only(facts), default=str)
        with written_to(self.path):
            os.write(self._file, f"{line}\n".encode())


def _drop_torn_line(file: int) -> bool:
    """Drop what a full disk has left of a last line; return whether anything was written."""
    size = os.fstat(file).st_size
    written = os.pread(file, size, 0)
    end = written.rfind(b"\n") + 1
    if end < size:
        os.ftruncate(file, end)
    return end > 0


def _numbers_only(value: Any) -> Any:  # noqa: ANN401
    """Return a value in which NaN and infinities, which JSON has not, are None."""
    if isinstance(value, dict):
        return {name: _numbers_only(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_numbers_only(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value

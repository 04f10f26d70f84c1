"""Sends what happens in a search to a tracking server, from a thread of its own."""

import math
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optuna.trial import FrozenTrial
from typing_extensions import override

from analysis.run_folder import STATES
from analysis.study_file import CONFIG, REASON
from search.ledger import Audience, State
from search.trackers.base import Received, TrackedSearch, Tracker, TrialEnd
from trainable.errors import first_line
from trainable.trial_folder import TrialFolder

RETRY_S = 15.0
CLOSE_S = 60.0


@dataclass
class _Tracked:
    """What is to be sent of a trial: its curve is in its folder."""

    config: Mapping[str, Any]
    end: TrialEnd | None = None
    num_events: int = 0
    # None until the tracker has been asked, and again after every error.
    received: Received | None = None


class Feed(Audience):
    """Tells a tracker of a search, which neither waits for it nor ends with it.

    Events only say which trial has news; what the tracker lacks of that one is then read from
    the trial's folder. So nothing is missing once a tracker that was away is back, or
    the search goes on in another process, and nothing is there twice.

    Args:
        tracker: Where it goes.
        search: The search.
        note: Tells the user of a tracker that does not work, and of one that works again.
        earlier: Trials of earlier processes, of which the tracker may lack something.
        retry_s: Seconds after an error before the next try.
        close_s: Longest wait for what is unsent when the search has ended, in seconds.
    """

    def __init__(
        self,
        tracker: Tracker,
        search: TrackedSearch,
        note: Callable[[str], None],
        *,
        earlier: Iterable[FrozenTrial] = (),
        retry_s: float = RETRY_S,
        close_s: float = CLOSE_S,
    ) -> None:
        self._tracker = tracker
        self._search = search
        self._say = note
        self._retry_s = retry_s
        self._close_s = close_s
        self._trials = {trial.number: _tracked(trial) for trial in earlier}
        self._news = dict.fromkeys(self._trials)
        self._changed = threading.Condition()
        self._is_open = False
        self._is_away = False
        self._is_closing = False
        self._is_done = False
        self._thread = threading.Thread(target=self._work, name=tracker.name, daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def close(self, *, is_done: bool) -> None:
        """Send what is left, as long as that works and for a limited time.

        Args:
            is_done: Whether the search has come to its end, or can go on.
        """
        with self._changed:
            self._is_closing, self._is_done = True, is_done
            self._changed.notify()
        self._thread.join(self._close_s)
        with self._changed:
            count = len(self._news)
        if count or self._thread.is_alive():
            trials = "1 trial is" if count == 1 else f"{count} trials are"
            self._say(
                f"{self._tracker.name}: {trials} not all there; what is missing is sent by "
                f"--resume {self._search.run_folder}"
            )

    @override
    def trial_started(self, number: int, config: Mapping[str, Any]) -> None:
        """Take in that a trial begins or goes on."""
        self._tell(number, end=None, config=config)

    @override
    def epoch_reported(self, number: int, epoch: int, value: float, best: float) -> None:
        """Take in that a trial has done an epoch."""
        self._tell(number, end=None)

    @override
    def trial_ended(
        self, number: int, state: State, *, reason: str, value: float | None, epochs: int
    ) -> None:
        """Take in that a trial has ended, or waits to be gone on with."""
        self._tell(number, end=TrialEnd(state, reason, value))

    @override
    def disk_used(self, num_bytes: int) -> None:
        """Do nothing: it is of no trial."""

    @override
    def note(self, text: str) -> None:
        """Do nothing: it is for those who watch."""

    def _tell(
        self, number: int, *, end: TrialEnd | None, config: Mapping[str, Any] | None = None
    ) -> None:
        with self._changed:
            trial = self._trials.setdefault(number, _Tracked({}))
            trial.end = end
            trial.num_events += 1
            trial.config = trial.config if config is None else dict(config)
            self._news[number] = None
            self._changed.notify()

    def _work(self) -> None:
        while (number := self._next()) is not None:
            is_last_try = self._is_closing
            try:
                self._send(number)
            except Exception as error:  # noqa: BLE001 - whatever it is, no search ends for it
                self._failed(error)
                if is_last_try:
                    return
            else:
                self._worked()
        self._closed()

    def _next(self) -> int | None:
        """Return a trial with news, which it waits for; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._news or self._is_closing)
            return next(iter(self._news), None)

    def _send(self, number: int) -> None:
        if not self._is_open:
            self._tracker.open(self._search)
            self._is_open = True
        with self._changed:
            trial = self._trials[number]
            num_events, end, config = trial.num_events, trial.end, trial.config
        received = trial.received or self._tracker.begin(number, config)
        if not received.has_ended:
            received = self._send_rest(number, received, end)
        with self._changed:
            # One that was put back is begun again when it goes on.
            trial.received = None if end is not None else received
            if trial.num_events == num_events:
                del self._news[number]

    def _send_rest(self, number: int, received: Received, end: TrialEnd | None) -> Received:
        folder = TrialFolder.of(self._search.run_folder, number)
        rows = [row for row in folder.read_metrics() if row["epoch"] > received.epochs]
        if rows:
            self._tracker.log(number, [_finite(row) for row in rows])
        if end is not None:
            self._tracker.end(number, end, _files(folder) if end.is_final else ())
        epochs = int(rows[-1]["epoch"]) if rows else received.epochs
        return Received(epochs, has_ended=end is not None and end.is_final)

    def _failed(self, error: Exception) -> None:
        self._is_open = False
        with self._changed:
            for trial in self._trials.values():
                trial.received = None
        if not self._is_away:
            self._is_away = True
            what = f"{self._tracker.name}: {first_line(error)}".rstrip(".")
            self._say(f"{what}. The search goes on; what is missing is sent once that works.")
        with self._changed:
            self._changed.wait_for(lambda: self._is_closing, self._retry_s)

    def _worked(self) -> None:
        if self._is_away:
            self._is_away = False
            self._say(f"{self._tracker.name}: works again")

    def _closed(self) -> None:
        if not self._is_open:
            return
        try:
            self._tracker.close(is_done=self._is_done)
        except Exception as error:  # noqa: BLE001 - as above
            self._say(f"{self._tracker.name}: {first_line(error)}")


def _tracked(trial: FrozenTrial) -> _Tracked:
    state = STATES[trial.state]
    end = TrialEnd(state, str(trial.user_attrs.get(REASON, "")), trial.value)  # type: ignore[arg-type]
    return _Tracked(trial.user_attrs.get(CONFIG, {}), end)


def _finite(row: Mapping[str, float]) -> dict[str, float]:
    """Return metrics that are numbers: a class that occurs nowhere has no F1."""
    return {name: value for name, value in row.items() if math.isfinite(value)}


def _files(folder: TrialFolder) -> tuple[Path, ...]:
    files = (folder.config, folder.metrics, folder.confusions, folder.error)
    return tuple(file for file in files if file.exists())

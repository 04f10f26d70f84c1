"""How a search goes: told by the engine, shown to the user as a live view or as plain lines."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Self

from optuna.trial import FrozenTrial
from rich.console import Console
from rich.live import Live

from analysis.run_folder import STATES
from search.progress_view import Best, RunningTrial, Snapshot, describe_config, render
from trainable.objective import Objective
from trainable.trial_folder import trial_id

UPDATES_PER_S = 4
WORDS = {"complete": "finished", "pruned": "stopped early", "failed": "failed"}


@dataclass
class _State:
    """What has been told so far; read and written under a lock."""

    running: dict[int, RunningTrial] = field(default_factory=dict)
    configs: dict[int, str] = field(default_factory=dict)
    ended: Counter[str] = field(default_factory=Counter)
    num_epochs: int = 0
    num_earlier: int = 0
    num_bytes: int = 0
    most_running: int = 0
    is_over: bool = False
    # Value that each ended trial was told with: what it is ranked by.
    values: dict[int, float] = field(default_factory=dict)


class SearchProgress:
    """Takes in the events of a search from any thread, and shows them.

    A live view where stdout is a terminal; else a line for each trial that has ended.

    Args:
        name: Name of the run.
        objective: What is searched for.
        num_trials: Trials that the search shall have in the end.
        time_budget_s: Seconds that are left for the search, None for no limit.
        console: Where to show it; stdout when None.
        clock: Seconds from any start.
    """

    def __init__(
        self,
        name: str,
        *,
        objective: Objective,
        num_trials: int,
        time_budget_s: float | None = None,
        console: Console | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.console = console or Console(highlight=False)
        self.is_live = self.console.is_terminal and not self.console.is_dumb_terminal
        self._name = name
        self._objective = objective
        self._num_trials = num_trials
        self._time_budget_s = time_budget_s
        self._clock = clock
        self._start_s = clock()
        self._lock = threading.Lock()
        self._state = _State()
        self._live: Live | None = None

    def __enter__(self) -> Self:
        """Begin to show the view."""
        self._start_s = self._clock()
        if self.is_live:
            self._live = Live(
                console=self.console,
                get_renderable=lambda: render(self.snapshot()),
                refresh_per_second=UPDATES_PER_S,
                vertical_overflow="ellipsis",
            )
            self._live.start()
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Show the last state and leave it on the screen."""
        with self._lock:
            self._state.is_over = True
        if self._live is not None:
            self._live.stop()
            self._live = None

    def trial_known(self, trial: FrozenTrial) -> None:
        """Take in a trial of the study from before this process; unfinished ones count not."""
        if not trial.state.is_finished():
            return
        state = STATES[trial.state]
        with self._lock:
            described = describe_config(trial.user_attrs.get("config", {}))
            self._state.configs[trial.number] = described
            self._state.ended[state] += 1
            self._state.num_earlier += 1
            if state != "failed" and trial.value is not None:
                self._state.values[trial.number] = trial.value

    def trial_started(self, number: int, config: Mapping[str, Any]) -> None:
        """Take in that a trial begins or goes on.

        Args:
            number: Number of the trial.
            config: Its configuration, flat.
        """
        described = describe_config(config)
        with self._lock:
            self._state.configs[number] = described
            self._state.running[number] = RunningTrial(
                number=number, epochs=_planned_epochs(config), config=described
            )
            most = max(self._state.most_running, len(self._state.running))
            self._state.most_running = most

    def epoch_reported(self, number: int, epoch: int, value: float, best: float) -> None:
        """Take in an epoch.

        Args:
            number: Number of the trial.
            epoch: The epoch, from 1.
            value: The objective's value.
            best: The trial's best value so far.
        """
        with self._lock:
            self._state.num_epochs += 1
            if number in self._state.running:
                row = replace(self._state.running[number], epoch=epoch, value=value, best=best)
                self._state.running[number] = row

    def trial_ended(
        self, number: int, state: str, *, reason: str, value: float | None, epochs: int
    ) -> None:
        """Take in that a trial has ended, or waits to be gone on with.

        Args:
            number: Number of the trial.
            state: complete, pruned, failed, or waiting.
            reason: Why it ended, such as the text of the failure.
            value: Its value, None if it has none.
            epochs: Epochs it was trained for.
        """
        with self._lock:
            row = self._state.running.pop(number, None)
            if state in WORDS:
                self._state.ended[state] += 1
            if value is not None:
                self._state.values[number] = value
            config = self._state.configs.get(number, "")
            best = self._best()
        if state == "failed":
            text = " ".join(reason.split())
            self.note(f"trial {trial_id(number)} failed after {_epochs(epochs)}: {text}")
        elif state in WORDS and not self.is_live:
            planned = row.epochs if row else epochs
            reached = "" if value is None else f"{self._objective.metric} {value:.4f}, "
            top = f"best {best.value:.4f} by {trial_id(best.number)}, " if best else ""
            self.note(
                f"trial {trial_id(number)} {WORDS[state]} at epoch {epochs}/{planned}: "
                f"{reached}{top}{config}"
            )

    def disk_used(self, num_bytes: int) -> None:
        """Take in what the folders of all ended trials take, in bytes."""
        with self._lock:
            self._state.num_bytes = num_bytes

    def note(self, text: str) -> None:
        """Print a line that stays, above the view."""
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def snapshot(self) -> Snapshot:
        """Return the state of this moment, which later events leave as it is."""
        with self._lock:
            state = self._state
            elapsed_s = self._clock() - self._start_s
            num_ended = sum(state.ended.values())
            return Snapshot(
                name=self._name,
                metric=self._objective.metric,
                num_trials=self._num_trials,
                running=tuple(state.running[number] for number in sorted(state.running)),
                num_finished=state.ended["complete"],
                num_stopped=state.ended["pruned"],
                num_failed=state.ended["failed"],
                num_epochs=state.num_epochs,
                num_bytes=state.num_bytes,
                best=self._best(),
                elapsed_s=elapsed_s,
                left_s=self._left_s(num_ended - state.num_earlier, elapsed_s),
                most_running=state.most_running,
                is_over=state.is_over,
            )

    def _best(self) -> Best | None:
        """Return the best of what ended trials were told with and running ones have reached."""
        running = self._state.running.values()
        values = self._state.values | {t.number: t.best for t in running if t.best is not None}
        if not values:
            return None
        sign = self._objective.sign
        number = max(values, key=lambda number: (sign * values[number], -number))
        return Best(number, values[number], self._state.configs.get(number, ""))

    def _left_s(self, num_ended: int, elapsed_s: float) -> float | None:
        """Return the seconds left by the pace so far, at most those of the budget."""
        num_to_run = self._num_trials - self._state.num_earlier
        by_pace = elapsed_s * (num_to_run - num_ended) / num_ended if num_ended > 1 else None
        by_budget = None if self._time_budget_s is None else self._time_budget_s - elapsed_s
        left = [seconds for seconds in (by_pace, by_budget) if seconds is not None]
        return max(0.0, min(left)) if left else None


def _planned_epochs(config: Mapping[str, Any]) -> int:
    epochs = config.get("epochs")
    return epochs if isinstance(epochs, int) else 0


def _epochs(count: int) -> str:
    return f"{count} {'epoch' if count == 1 else 'epochs'}"

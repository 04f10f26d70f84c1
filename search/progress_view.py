"""The live view of a search: from a snapshot of its state to what the terminal shows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.filesize import decimal
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from trainable.trial_folder import trial_id

WIDTH = 98
RIGHT_WIDTH = 36
MARGIN = "  "
MOST_ROWS = 16
BAR_WIDTH = 12


@dataclass(frozen=True)
class RunningTrial:
    """A trial in training.

    Args:
        number: Its number.
        epochs: Epochs it may be trained for.
        config: Its configuration in a few words.
        epoch: Epochs done.
        value: Value of the last epoch.
        best: Best value so far.
    """

    number: int
    epochs: int
    config: str
    epoch: int = 0
    value: float | None = None
    best: float | None = None


@dataclass(frozen=True)
class Best:
    """The best value so far, and whose it is."""

    number: int
    value: float
    config: str


@dataclass(frozen=True)
class Snapshot:
    """The state of a search at one moment; durations in seconds."""

    name: str
    metric: str
    num_trials: int
    running: tuple[RunningTrial, ...] = ()
    num_finished: int = 0
    num_stopped: int = 0
    num_failed: int = 0
    num_epochs: int = 0
    num_bytes: int = 0
    best: Best | None = None
    elapsed_s: float = 0.0
    left_s: float | None = None
    most_running: int = 0
    is_over: bool = False

    @property
    def num_ended(self) -> int:
        """Return the number of trials that have ended, however they did."""
        return self.num_finished + self.num_stopped + self.num_failed

    @property
    def num_waiting(self) -> int:
        """Return the number of trials that have not been started."""
        return max(0, self.num_trials - self.num_ended - len(self.running))

    @property
    def done(self) -> float:
        """Return the number of trials done, running ones by the share of their epochs."""
        shares = (trial.epoch / max(trial.epochs, 1) for trial in self.running)
        return min(self.num_ended + sum(shares), self.num_trials)


def describe_config(config: Mapping[str, Any]) -> str:
    """Return the few hyperparameters that people tell trials apart by.

    Args:
        config: A flat configuration.

    Example:
        >>> describe_config({"backbone/name": "resnet18", "optimizer/name": "adamw",
        ...                  "optimizer/lr": 0.00213, "loss/name": "focal", "epochs": 9})
        'resnet18 · adamw 0.0021 · focal'
    """
    lr = config.get("optimizer/lr")
    rate = f"{lr:.2g}" if isinstance(lr, int | float) else str(lr or "")
    optimizer = f"{config.get('optimizer/name', 'lr' if rate else '')} {rate}".strip()
    parts = (config.get("backbone/name"), optimizer, config.get("loss/name"))
    return " · ".join(str(part) for part in parts if part)


def duration(seconds: float) -> str:
    """Return a duration to read at a glance.

    Example:
        >>> duration(42.3), duration(102), duration(7385)
        ('42 s', '1 min 42 s', '2 h 03 min')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def render(snapshot: Snapshot) -> RenderableType:
    """Return the view: how far the search is, what runs, what is best."""
    parts: list[RenderableType] = [Text(), _header(snapshot), _bar(snapshot), _counts(snapshot)]
    if snapshot.running:
        parts += [Text(), _table(snapshot)]
    elif not (snapshot.num_ended or snapshot.is_over):
        parts += [Text(), Text(f"{MARGIN}starting workers …", style="dim")]
    if snapshot.best is not None:
        parts += [Text(), _best(snapshot.best, snapshot.metric)]
    return Group(*parts, Text())


def _two_sided(left: RenderableType, right: Text) -> Table:
    grid = Table.grid(expand=False)
    grid.add_column(width=WIDTH - RIGHT_WIDTH, no_wrap=True, overflow="ellipsis")
    grid.add_column(width=RIGHT_WIDTH, justify="right", no_wrap=True)
    grid.add_row(left, right)
    return grid


def _header(snapshot: Snapshot) -> Table:
    name = Text.assemble(
        MARGIN, (snapshot.name, "bold"), (f"   searching {snapshot.metric}", "dim")
    )
    time = Text(duration(snapshot.elapsed_s))
    if snapshot.left_s is not None and not snapshot.is_over:
        time.append(f" · about {duration(snapshot.left_s)} left", style="dim")
    return _two_sided(name, time)


def _bar(snapshot: Snapshot) -> Table:
    bar = ProgressBar(
        total=snapshot.num_trials,
        completed=snapshot.done,
        width=WIDTH - RIGHT_WIDTH,
        complete_style="cyan",
        finished_style="green",
    )
    ended = Text(f"{snapshot.num_ended} of {snapshot.num_trials} trials")
    return _two_sided(Padding(bar, (0, 0, 0, len(MARGIN))), ended)


def _counts(snapshot: Snapshot) -> Text:
    counts = (
        (len(snapshot.running), "running", "cyan"),
        (snapshot.num_finished, "finished", "green"),
        (snapshot.num_stopped, "stopped early", "yellow"),
        (snapshot.num_failed, "failed", "red"),
        (snapshot.num_waiting, "waiting", "default"),
    )
    text = Text(MARGIN)
    for count, word, style in counts:
        text.append(f"{count} ", style=style if count else "dim")
        text.append(f"{word}   ", style="dim")
    text.append(f"{snapshot.num_epochs:,} ").append("epochs", style="dim")
    if snapshot.num_bytes:
        text.append(f"   {decimal(snapshot.num_bytes)} ").append("on disk", style="dim")
    return text


def _table(snapshot: Snapshot) -> RenderableType:
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim")
    table.add_column("trial", no_wrap=True)
    table.add_column("epoch", no_wrap=True)
    table.add_column("", justify="right", no_wrap=True)
    table.add_column(snapshot.metric, justify="right", no_wrap=True)
    table.add_column("best", justify="right", no_wrap=True)
    table.add_column("configuration", no_wrap=True, overflow="ellipsis")
    for trial in snapshot.running[:MOST_ROWS]:
        table.add_row(*_cells(trial))
    more = len(snapshot.running) - MOST_ROWS
    if more > 0:
        table.add_row("", Text(f"and {more} more", style="dim"))
    # A constant height: a view that jumps with every trial that ends is hard to read.
    for _ in range(min(snapshot.most_running, MOST_ROWS) - len(snapshot.running)):
        table.add_row("")
    return Padding(table, (0, 0, 0, len(MARGIN)))


def _cells(trial: RunningTrial) -> tuple[RenderableType, ...]:
    bar = ProgressBar(
        total=max(trial.epochs, 1),
        completed=trial.epoch,
        width=BAR_WIDTH,
        complete_style="cyan",
        finished_style="green",
    )
    return (
        trial_id(trial.number),
        bar,
        f"{trial.epoch}/{trial.epochs}",
        _number(trial.value),
        _number(trial.best),
        Text(trial.config, style="dim"),
    )


def _number(value: float | None) -> Text:
    return Text("–", style="dim") if value is None else Text(f"{value:.4f}")


def _best(best: Best, metric: str) -> Text:
    return Text.assemble(
        f"{MARGIN}best ",
        (f"{best.value:.4f}", "bold green"),
        (f" {metric}", "dim"),
        f"   trial {trial_id(best.number)}   ",
        (best.config, "dim"),
        no_wrap=True,
        overflow="ellipsis",
    )

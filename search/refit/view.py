"""How a refit goes, on screen: a bar a network, or a line for each that is trained."""

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from search.refit.work import Job


class RefitView:
    """Shows the networks in training while the block runs.

    Args:
        jobs: All networks.
        console: Where to show them.
    """

    def __init__(self, jobs: Sequence[Job], console: Console) -> None:
        self._console = console
        self._num_done = sum(job.is_done for job in jobs)
        self._num_jobs = len(jobs)
        columns = (TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn())
        is_live = console.is_terminal and not console.is_dumb_terminal
        self._bars = Progress(*columns, console=console, transient=True, disable=not is_live)
        self._tasks: dict[int, TaskID] = {}

    def __enter__(self) -> Self:
        """Begin to show the bars, and say what is there already."""
        if self._num_done:
            self.note(f"{self._num_done} of {self._num_jobs} networks are trained already.")
        self._bars.start()
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the bars away."""
        self._bars.stop()

    def started(self, job: Job, epochs_done: int) -> None:
        """Show a network's bar."""
        self._tasks[job.number] = self._bars.add_task(
            job.name, total=job.num_epochs, completed=epochs_done
        )

    def epoch_done(self, job: Job, epoch: int) -> None:
        """Move a network's bar."""
        self._bars.update(self._tasks[job.number], completed=epoch)

    def ended(self, job: Job, *, epochs: int, failed: str) -> None:
        """Take a network's bar away, and say in a line how it ended."""
        self._bars.remove_task(self._tasks.pop(job.number))
        if failed:
            self.note(f"{job.name} failed: {failed}")
            return
        self._num_done += 1
        unit = "epoch" if epochs == 1 else "epochs"
        self.note(f"{job.name} trained, {epochs} {unit} ({self._num_done} of {self._num_jobs})")

    def note(self, text: str) -> None:
        """Show a line that stays."""
        self._console.print(text, markup=False, soft_wrap=True)

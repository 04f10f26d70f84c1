"""``python -m search.run --space FILE``: the main job, from the command line to a ranked table."""
# PYTHON_ARGCOMPLETE_OK: shells may complete its options

import os
import shlex
import sys
import traceback
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from search.arguments import parse_arguments
from search.interrupts import interruptible
from trainable.command import DONE, INTERRUPTED, run_command
from trainable.errors import ConfigError, SearchError
from trainable.files import written_aside

# torch, pandas, Optuna and Ray are imported by the functions that need them: a wrong option is
# answered at once.
if TYPE_CHECKING:
    from search.arguments import GivenOptions
    from search.bucket_copy import BucketCopy
    from search.engine import SearchOutcome
    from search.plan import SearchPlan
    from search.progress import SearchProgress
    from search.study import SearchStudy


CRASH_FILE = "crash.txt"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    with interruptible():
        return run_command(_main, argv)


def _main(argv: Sequence[str] | None) -> int:
    argv = list(sys.argv[1:] if argv is None else argv)
    given = parse_arguments(argv)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else _plain_width())
    if given.goes_elsewhere:
        from search.elsewhere import run_elsewhere

        return run_elsewhere(argv, given, partial(console.print, markup=False, soft_wrap=True))
    from search.plan import make_plan

    given = _brought(given, console)
    with counting(console, "checking space and data") as progress:
        plan = make_plan(given, progress)
    for note in plan.notes:
        console.print(note, markup=False, soft_wrap=True)
    if given.dry_run:
        from search.dry_run import print_dry_run

        print_dry_run(plan, console)
        return DONE
    copy = _bucket_copy(plan)
    with _on_cluster(plan, console) as plan_there:
        _download(plan_there, console)
        with _decoded(plan_there, console):
            return _search(plan_there, argv, console, copy=copy, given=given.values)


def _brought(given: "GivenOptions", console: Console) -> "GivenOptions":
    """Bring the run folder here that is to be gone on with, where it is in a bucket."""
    if given.bucket is None:
        return given
    from search.bucket import bring_run, parent_url
    from search.options import SearchOptions

    runs_dir = Path(SearchOptions.model_fields["runs_dir"].default)
    here = bring_run(given.bucket, runs_dir)
    console.print(f"{given.bucket} is now in {here}.", markup=False, soft_wrap=True)
    values = {"copy_to": parent_url(given.bucket), **given.values}
    return replace(given, bucket=None, resume=here, values=values)


def _bucket_copy(plan: "SearchPlan") -> "BucketCopy | None":
    """Return the copy of the run folder that is to be kept in a bucket, if any.

    Raises:
        ConfigError: If it cannot be written.
    """
    if plan.options.copy_to is None:
        return None
    from search.bucket_copy import BucketCopy

    copy = BucketCopy(plan.run_folder, plan.options.copy_to)
    copy.check(is_new=not plan.resumes)
    return copy


@contextmanager
def _on_cluster(plan: "SearchPlan", console: Console) -> Iterator["SearchPlan"]:
    """Join the cluster that was asked for, before anything is written, and plan with its machines.

    A private Ray is started by the engine, as late as can be.
    """
    if plan.resources.available is not None:
        yield plan
        return
    from search.cluster import joined_cluster
    from search.node_check import check_nodes_for_search
    from search.resources import missing_gpus, share_out_nodes

    with joined_cluster(plan.options.address) as cluster:
        resources = share_out_nodes(plan.options, cluster.nodes)
        with console.status("looking at every node") if console.is_terminal else nullcontext():
            notes = check_nodes_for_search(plan, cluster.described)
        if cluster.dashboard:
            console.print(f"dashboard: http://{cluster.dashboard}")
        for note in (*notes, *missing_gpus(plan.options, resources)):
            console.print(note, markup=False, soft_wrap=True)
        yield replace(plan, resources=resources)


def _plain_width() -> int:
    """Return the width of output that goes to a file or a pipe."""
    return int(os.environ.get("COLUMNS", "100"))


def _download(plan: "SearchPlan", console: Console) -> None:
    """Download the weights that trials on this machine start from, before they wait for them."""
    if plan.resumes or plan.resources.available is None:
        return  # else the first trial that asks for them does, once a machine
    from search.pretrained import backbones_of, download_weights, names_to_download

    backbones = backbones_of(plan.space, plan.check, plan.options.pins)
    names = names_to_download(backbones, plan.options.weights_dir)
    if names:
        with counting(console, "downloading pretrained weights") as progress:
            download_weights(names, progress)


def _decoded(plan: "SearchPlan", console: Console) -> AbstractContextManager[None]:
    """Decode the images at every size that trials will ask for, before they wait for it."""
    from search.cache_room import decoded

    def decode(size: tuple[int, int]) -> object:
        with counting(console, f"decoding images to {size[0]}x{size[1]}") as progress:
            return plan.data.images(size, progress)

    return decoded(plan.data, plan.check.sizes, decode)


@contextmanager
def counting(console: Console, text: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar while the block runs, where the output is a terminal.

    Args:
        console: Where to show it; nothing of it stays.
        text: What is being done.

    Yields:
        A function to be called with (number done, number in all).
    """
    columns = (TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn())
    live = console.is_terminal and not console.is_dumb_terminal
    with Progress(*columns, console=console, transient=True, disable=not live) as bars:
        task = bars.add_task(text, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)


def _search(
    plan: "SearchPlan",
    argv: Sequence[str],
    console: Console,
    *,
    copy: "BucketCopy | None",
    given: Container[str],
) -> int:
    from search.bucket import kept_in_bucket
    from search.run_record import create_run_folder, locked, record_resume

    if not plan.resumes:
        create_run_folder(plan, argv)
    for line in _opening(plan, given):
        console.print(line, markup=False, soft_wrap=True)
    tell = partial(console.print, markup=False, soft_wrap=True)
    with (
        locked(plan.run_folder),
        kept_in_bucket(copy, tell),
        _traceback_kept(plan.run_folder),
    ):
        if plan.resumes:
            record_resume(plan, argv)
        try:
            is_done = _run_to_the_end(plan, console)
        except (KeyboardInterrupt, SystemExit):  # the latter is Ray's, for SIGTERM as it starts
            is_done = False
    if copy is not None:
        console.print(f"Bucket:  {copy.url}", markup=False, soft_wrap=True)
    if not is_done:
        sys.stderr.write(f"Interrupted. Go on with: {_resume_command(plan.run_folder)}\n")
    return DONE if is_done else INTERRUPTED


def _opening(plan: "SearchPlan", given: Container[str]) -> Iterator[str]:
    from search.defaults import described
    from search.opening import opening_lines
    from search.run_record import DEFAULTS_CHANGED, read_record

    yield from opening_lines(plan, given)
    if not plan.resumes:
        yield from described(read_record(plan.run_folder)[DEFAULTS_CHANGED])


def _run_to_the_end(plan: "SearchPlan", console: Console) -> bool:
    """Run the trials, then conclude; return whether nothing interrupted it."""
    outcome = _run_trials(plan, console)
    if outcome.was_interrupted:
        return False
    from search.conclusion import conclude

    if outcome.budget_used_up:
        console.print("\nThe time budget is used up.")
    conclude(plan, console)
    for line in _compared(plan):
        console.print(line, markup=False, soft_wrap=True)
    return True


def _compared(plan: "SearchPlan") -> list[str]:
    """Return what the curve of a trial that was trained again is like, beside the recorded one."""
    from search.run_record import AGAIN, read_record

    again = read_record(plan.run_folder).get(AGAIN)
    if again is None:
        return []
    from search.again import comparison
    from trainable.trial_folder import TrialFolder

    return comparison(again, TrialFolder.of(plan.run_folder, 0))


@contextmanager
def _traceback_kept(run_folder: Path) -> Iterator[None]:
    """Turn an error that nobody foresaw into one line, with its traceback in the run folder.

    Raises:
        SearchError: In its place.
    """
    try:
        yield
    except (ConfigError, SearchError):
        raise
    except Exception as error:
        with written_aside(run_folder / CRASH_FILE) as aside:
            aside.write_text(traceback.format_exc())
        what = " ".join(f"{type(error).__name__}: {error}".split())
        raise SearchError(
            f"search: expected no error of its own, got {what}. Its traceback is in "
            f"{run_folder / CRASH_FILE}. Trials go on from their last epoch with: "
            f"{_resume_command(run_folder)}"
        ) from error


def _run_trials(plan: "SearchPlan", console: Console) -> "SearchOutcome":
    from search.open_study import open_study
    from search.unwritable import worded
    from search.viewers import run_watched

    try:
        with worded(_study_place(plan)):
            study = open_study(plan, plan.run_folder)
            with new_progress(plan, study, console) as progress:
                outcome = run_watched(plan, study, progress)
    except SearchError as error:
        remedy = f"Once that is mended, go on with: {_resume_command(plan.run_folder)}"
        raise SearchError(f"{error} {remedy}") from error
    if plan.resumes and not progress.snapshot().num_epochs:
        console.print("Nothing was left to run; a larger --trials or --time-budget extends it.")
    return outcome


def new_progress(plan: "SearchPlan", study: "SearchStudy", console: Console) -> "SearchProgress":
    """Return the view of a search, with what earlier processes have done of it."""
    from search.ledger import WORKED_S
    from search.progress import SearchProgress

    budget_s = plan.options.time_budget_s
    if budget_s is not None:
        budget_s = max(0.0, budget_s - float(study.noted(WORKED_S, 0.0)))
    progress = SearchProgress(
        plan.options.name,
        objective=plan.objective,
        num_trials=plan.options.trials,
        time_budget_s=budget_s,
        console=console,
    )
    for trial in study.trials:
        progress.trial_known(trial)
    return progress


def _study_place(plan: "SearchPlan") -> str:
    from analysis.study_file import STUDY_FILE

    return "--storage" if plan.options.storage else str(plan.run_folder / STUDY_FILE)


def _resume_command(run_folder: Path) -> str:
    return f"python -m search.run --resume {shlex.quote(str(run_folder))}"


if __name__ == "__main__":
    sys.exit(main())

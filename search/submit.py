"""``python -m search.submit -- ARGUMENTS``: a search as a Ray job, sent to a running cluster."""
# PYTHON_ARGCOMPLETE_OK: shells may complete its options

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from rich.console import Console

from trainable.command import DONE, FAILED, INTERRUPTED, ArgumentParser, run_command
from trainable.errors import ConfigError, SearchError, expected

# Ray and Optuna are imported by the functions that need them: a wrong option is answered at once.
if TYPE_CHECKING:
    from search.jobs import Jobs, SearchJob

DESCRIPTION = "Send a search to a Ray cluster, and look after those that were sent."
DEFAULT_ADDRESS = "http://127.0.0.1:8265"
ADDRESS_VARIABLE = "RAY_API_SERVER_ADDRESS"
USAGE = """python -m search.submit [options] -- ARGUMENTS OF search.run
       python -m search.submit [options] --list | --status | --logs | --stop NAME"""
EXAMPLES = """
python -m search.submit -- --space spaces/quick.py --data photos --name first
python -m search.submit --list
python -m search.submit --logs first --follow
python -m search.submit --stop first
python -m search.submit -- --resume runs/first
"""
LAST_LINES = 5
RESUMABLE = "Interrupted. Go on with:"
SETTLE_S = 10  # a log ends a moment before its job does


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return run_command(_main, argv)


def _main(argv: Sequence[str] | None) -> int:
    options, search = _parse(argv)
    console = Console(highlight=False, soft_wrap=True)
    if options.list:
        return _list(_jobs(options), console)
    if options.status:
        return _status(_jobs(options), options.status, console)
    if options.logs:
        return _logs(_jobs(options), options.logs, follow=options.follow)
    if options.stop:
        return _stop(_jobs(options), options, console)
    return _send(options, search, console)


def _parse(argv: Sequence[str] | None) -> tuple[argparse.Namespace, list[str]]:
    """Return the options, and the arguments of the search.

    Raises:
        ConfigError: If they are wrong.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    end = words.index("--") if "--" in words else len(words)
    options, search = _parser().parse_args(words[:end]), words[end + 1 :]
    _check(options, search)
    return options, search


def _parser() -> ArgumentParser:
    parser = ArgumentParser("python -m search.submit", DESCRIPTION, examples=EXAMPLES)
    parser.usage = USAGE
    parser.add_argument(
        "--address",
        metavar="URL",
        default=os.environ.get(ADDRESS_VARIABLE, DEFAULT_ADDRESS),
        help=f"dashboard of the cluster (default: {ADDRESS_VARIABLE}, else {DEFAULT_ADDRESS})",
    )
    parser.add_argument(
        "--folder",
        metavar="DIR",
        type=Path,
        help="folder on the cluster that relative paths are meant from (default: this one)",
    )
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--list", action="store_true", help="list all searches that were sent")
    action.add_argument("--status", metavar="NAME", help="say how a search is")
    action.add_argument("--logs", metavar="NAME", help="print what a search has printed")
    action.add_argument(
        "--stop", metavar="NAME", help="end a search as Ctrl-C does; it can be gone on with"
    )
    parser.add_argument(
        "--follow", action="store_true", help="with --logs: print on until the search ends"
    )
    return parser


def _check(options: argparse.Namespace, search: Sequence[str]) -> None:
    """Check that options do not contradict each other.

    Raises:
        ConfigError: If they do.
    """
    asks = options.list or options.status or options.logs or options.stop
    if not asks and not search:
        remedy = "Put them after --, such as: -- --space spaces/quick.py; or give --list."
        raise ConfigError(expected("arguments", "those of search.run", "none", remedy))
    if asks and search:
        what = "nothing, together with --list, --status, --logs or --stop"
        raise ConfigError(expected("--", what, shlex.join(search)))
    if asks and options.folder:
        raise ConfigError(expected("--folder", "a search to send", "none"))
    if options.follow and not options.logs:
        raise ConfigError(expected("--follow", "--logs NAME with it", "none"))
    if not is_url(options.address):
        what = f"the URL of a dashboard, such as {DEFAULT_ADDRESS}"
        raise ConfigError(expected("--address", what, repr(options.address)))


def is_url(text: str) -> bool:
    """Return whether a text is a URL that a dashboard may have.

    Example:
        >>> is_url("http://10.0.0.1:8265"), is_url("10.0.0.1:8265"), is_url("ray://a:10001")
        (True, False, False)
    """
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none
        return False


def _jobs(options: argparse.Namespace) -> "Jobs":
    from search.jobs import Jobs

    return Jobs(options.address)


def _send(options: argparse.Namespace, search: Sequence[str], console: Console) -> int:
    from search.submission import make_submission

    folder = (options.folder or Path()).absolute()
    submission = make_submission(search, folder)
    job = _jobs(options).send(submission)
    console.print(f"Sent: {job.name} (run folder {job.run_folder})", markup=False)
    for text in (f"--logs {job.name} --follow", f"--stop {job.name}"):
        console.print(f"      {command(options.address)} {text}", markup=False)
    return DONE


def _list(jobs: "Jobs", console: Console) -> int:
    rows = [
        (job.name, job.status, f"{job.begun:%Y-%m-%d %H:%M:%S}", _took(job), job.run_folder)
        for job in jobs.all()
    ]
    if not rows:
        console.print("No search was sent to this cluster.")
        return DONE
    rows = [("name", "status", "sent", "took", "run folder"), *rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        console.print("  ".join(cells).rstrip(), markup=False)
    return DONE


def _status(jobs: "Jobs", name: str, console: Console) -> int:
    job = jobs.named(name, "--status")
    console.print(f"{job.name}: {job.status}, {_took(job)}, {job.run_folder}", markup=False)
    lines = [line for line in jobs.logs(name).splitlines() if line.strip()]
    for line in lines[-LAST_LINES:] if lines else [job.message]:
        console.print(f"  {line}", markup=False)
    return DONE


def _logs(jobs: "Jobs", name: str, *, follow: bool) -> int:
    job = jobs.named(name, "--logs")
    if not follow:
        sys.stdout.write(jobs.logs(name))
        return DONE
    try:
        jobs.follow(name, write_through)
    except KeyboardInterrupt:
        sys.stderr.write(f"{name} goes on; --stop {name} ends it.\n")
        return INTERRUPTED
    job = jobs.ended(name, within_s=SETTLE_S)
    return FAILED if job.exit_code is None else job.exit_code


def write_through(text: str) -> None:
    """Print a piece of text as it is, and at once."""
    sys.stdout.write(text)
    sys.stdout.flush()


def _stop(jobs: "Jobs", options: argparse.Namespace, console: Console) -> int:
    job = jobs.named(options.stop, "--stop")
    if job.has_ended:
        got = f"{job.name!r}, which is {job.status}"
        raise ConfigError(expected("--stop", "a search that has not ended", got))
    job = jobs.stop(job.name)
    if not job.has_ended:
        raise SearchError(expected("--stop", f"{job.name!r} to end", f"one that is {job.status}"))
    # Only a search that has begun says so; one that Ray had to kill does not.
    has_begun = RESUMABLE in jobs.logs(job.name)
    console.print(stopped_line(job, has_begun=has_begun), markup=False)
    resume = shlex.join(["--resume", job.run_folder])
    console.print(f"  {command(options.address)} -- {resume}", markup=False)
    return DONE


def stopped_line(job: "SearchJob", *, has_begun: bool) -> str:
    """Return the line above the command that goes on with a search."""
    when = "Go on with:" if has_begun else "If its run folder is there, go on with:"
    return f"{job.name}: {job.status}. {when}"


def command(address: str) -> str:
    """Return how this command is called for the cluster whose dashboard is at a URL."""
    option = [] if address == DEFAULT_ADDRESS else ["--address", address]
    return shlex.join(["python", "-m", "search.submit", *option])


def _took(job: "SearchJob") -> str:
    seconds = ((job.ended or datetime.now(UTC)) - job.begun).total_seconds()
    return str(timedelta(seconds=round(seconds)))


if __name__ == "__main__":
    sys.exit(main())

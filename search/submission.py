"""A search that is to be sent to a cluster: checked, with all that it needs from this machine."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from search.arguments import GivenOptions, parse_arguments
from search.bucket import name_in_bucket
from search.job import command
from search.options import SearchOptions
from search.shipped import package_folders
from trainable.errors import ConfigError, expected

SENT = "sent"
SPACE, NAME, ADDRESS = "--space", "--name", "--address"


@dataclass(frozen=True)
class Submission:
    """What is sent.

    Args:
        name: Name of the run, and of its job unless an earlier one had it.
        run_folder: Its run folder on the cluster.
        space: The space file on this machine, None where a search goes on with its own.
        entrypoint: The shell command that runs it on the cluster.
    """

    name: str
    run_folder: Path
    space: Path | None
    entrypoint: str


def make_submission(argv: Sequence[str], folder: Path) -> Submission:
    """Check the arguments of ``search.run`` and return what is to be sent.

    Args:
        argv: The arguments.
        folder: Folder on the cluster that relative paths are meant from, absolute.

    Raises:
        ConfigError: If they are wrong, as far as that can be told without data and cluster.
    """
    given = parse_arguments(argv)
    _check_sendable(given)
    space = given.values.get("space")
    if space is not None:
        from search.space_file import load_space

        load_space(space)
    run_folder = _run_folder(given, folder)
    rest = list(without(argv, SPACE, NAME))
    is_new = given.resume is None and given.bucket is None
    named = [NAME, run_folder.name] if is_new else []
    entrypoint = command(
        folder=folder,
        space=space,
        sent_as=space and Path(SENT, space.name),
        argv=[*named, ADDRESS, "auto", *rest],
    )
    return Submission(run_folder.name, run_folder, space, entrypoint)


@contextmanager
def packed(submission: Submission) -> Iterator[Path]:
    """Yield a folder with our packages as they are here, and the space, while a block runs."""
    with TemporaryDirectory(prefix="search-submit-") as folder:
        root = Path(folder)
        for package in package_folders():
            ignored = shutil.ignore_patterns("__pycache__", ".*")
            shutil.copytree(package, root / package.name, ignore=ignored)
        (root / SENT).mkdir()
        if submission.space is not None:
            shutil.copy(submission.space, root / SENT)
        yield root


def _check_sendable(given: GivenOptions) -> None:
    if given.dry_run:
        remedy = "Give it to `python -m search.run`, which needs no cluster for it."
        raise ConfigError(expected("--dry-run", "a search to send", "a dry run", remedy))
    if "address" in given.values:
        remedy = "Give --address before the --, as that of the cluster to send it to."
        what = "none among the arguments of the search"
        raise ConfigError(expected(ADDRESS, what, given.values["address"], remedy))


def _run_folder(given: GivenOptions, folder: Path) -> Path:
    """Return the run folder as it will be on the cluster."""
    if given.bucket is not None:
        return Path(folder, _default_runs_dir(), name_in_bucket(given.bucket))
    if given.resume is not None:
        return Path(folder, given.resume).resolve()
    runs_dir = Path(folder, given.values.get("runs_dir", _default_runs_dir()))
    return runs_dir / (given.values.get("name") or _new_name(given, runs_dir))


def _new_name(given: GivenOptions, runs_dir: Path) -> str:
    from search.again import name_again
    from search.plan import new_name

    name = given.values["space"].stem if given.again is None else name_again(given.again)
    return new_name(name, runs_dir)


def _default_runs_dir() -> Path:
    return Path(SearchOptions.model_fields["runs_dir"].default)


def without(argv: Sequence[str], *options: str) -> Iterator[str]:
    """Yield arguments without some options, each of which has one value."""
    words = iter(argv)
    for word in words:
        if word in options:
            next(words, None)
        elif word.partition("=")[0] not in options:
            yield word

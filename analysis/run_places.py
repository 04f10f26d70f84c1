"""From what a user names, run folders, folders of them and buckets, to the runs."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from analysis.mirror import Mirror, open_url
from analysis.run_folder import FINISHED, RunFolder
from trainable.buckets import is_url
from trainable.errors import ConfigError, expected
from trainable.run_files import RECORD_FILE

DEEPEST = 8
HELP = "run folders, folders of run folders, or their URLs in a bucket"


@dataclass(frozen=True)
class FoundRuns:
    """Runs, and what was left out.

    Args:
        runs: The runs, those below a folder in the order of their paths.
        problems: Why some below a folder were left out, a line each.
    """

    runs: tuple[RunFolder, ...]
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Place:
    """A folder that a user named, on disk or copied from a bucket."""

    given: str
    folder: Path
    mirror: Mirror | None

    @property
    def is_run(self) -> bool:
        return (self.folder / RECORD_FILE).exists()

    def run(self, folder: Path) -> RunFolder:
        below = folder.relative_to(self.folder).as_posix()
        of_url = self.given.rstrip("/").rpartition("/")[2] if self.mirror else None
        return RunFolder(folder, name=of_url if below == "." else below, mirror=self.mirror)


def find_runs(places: Sequence[str], *, finished: bool = False) -> FoundRuns:
    """Return the runs that a user means.

    A folder without ``run.json`` stands for all run folders below it, at most eight levels deep;
    hidden folders and the folders of trials are not looked into. Its runs are named by their path
    below it. Those that are damaged are left out; a run folder that was named itself is not.

    Args:
        places: Run folders, folders of run folders, or URLs of either.
        finished: Whether runs below a folder are left out, too, that have no finished trial.

    Raises:
        ConfigError: If a run folder that was named is damaged, or there is no run at a place.
    """
    opened = [_open(place) for place in places]
    named = {place.folder.resolve() for place in opened if place.is_run}
    runs: list[RunFolder] = []
    problems: list[str] = []
    for place in opened:
        if place.is_run or not place.folder.is_dir():
            runs.append(place.run(place.folder))
        else:
            known = named | {run.path.resolve() for run in runs}
            runs += _runs_below(place, known, problems, finished=finished)
    if not runs:
        raise ConfigError(problems)
    return FoundRuns(tuple(runs), tuple(problems))


def _open(given: str) -> _Place:
    if not is_url(given):
        return _Place(given, Path(given), None)
    opened = open_url(given)
    if isinstance(opened, Mirror):
        return _Place(given, opened.folder, opened)
    return _Place(given, opened, None)


def _runs_below(
    place: _Place, known: set[Path], problems: list[str], *, finished: bool
) -> Iterator[RunFolder]:
    """Yield the runs below a folder that are not known yet; note what is wrong with others."""
    folders = list(_run_folders_below(place.folder, problems))
    if not folders:
        what = f"a run folder, or one with run folders below it, each with its {RECORD_FILE}"
        remedy = "Give what search.run wrote, such as runs/NAME, or runs."
        raise ConfigError([*problems, expected(place.given, what, "none", remedy)])
    for folder in folders:
        if folder.resolve() in known:
            continue
        try:
            yield _read(place.run(folder), finished=finished)
        except ConfigError as error:
            reworded = place.mirror.reworded if place.mirror else str
            problems += [f"Left out: {reworded(problem)}" for problem in error.problems]


def _read(run: RunFolder, *, finished: bool) -> RunFolder:
    """Read a run's study and curves, so that damaged ones are found here."""
    _ = run.curves
    if finished and not any(trial.state in FINISHED for trial in run.trials):
        raise ConfigError(expected(str(run.path), "a finished trial", "none yet"))
    return run


def _run_folders_below(root: Path, problems: list[str]) -> Iterator[Path]:
    def note(error: OSError) -> None:
        problem = expected(error.filename, "a folder that can be read", error.strerror)
        problems.append(f"Left out: {problem}")

    seen = set()
    for path, names, files in os.walk(root, followlinks=True, onerror=note):
        folder, real = Path(path), os.path.realpath(path)
        is_run = RECORD_FILE in files
        if is_run and real not in seen:
            yield folder
        is_deep = len(folder.relative_to(root).parts) >= DEEPEST
        if is_run or is_deep or real in seen:  # links may lead in a circle
            names.clear()
        seen.add(real)
        names[:] = sorted(n for n in names if not n.startswith(".") and n != "trials")

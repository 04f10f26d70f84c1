"""Whether trials of several searches may be compared and averaged."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from analysis.run_folder import RunFolder
from trainable.data.prepared import PreparedData
from trainable.errors import ConfigError, expected

SAME_IMAGES = ["path", "label", "person", "part"]
SHORT = {
    "data": "set of images",
    "classes": "set of classes",
    "--center-crop": "--center-crop",
    "split": "split",
}


@dataclass(frozen=True)
class Difference:
    """In what the data of two runs do not agree.

    Args:
        what: ``data``, ``classes``, ``--center-crop`` or ``split``.
        wanted: What the first run has.
        got: What the other one has.
        remedy: What helps.
    """

    what: str
    wanted: str
    got: str
    remedy: str = ""


def check_agreement(runs: Sequence[RunFolder]) -> None:
    """Check that all runs have the images, classes and split of the first.

    Args:
        runs: The runs.

    Raises:
        ConfigError: If one differs, or is given twice, a line each that says in what; or if the
            data of one cannot be read.
    """
    problems = list(_repeated(runs))
    for run in runs[1:]:
        if found := difference(runs[0], run):
            where = f"{run.place}: {found.what}"
            problems.append(expected(where, found.wanted, found.got, found.remedy))
    if problems:
        raise ConfigError(problems)


def difference(first: RunFolder, run: RunFolder) -> Difference | None:
    """Return in what a run does not agree with the first one, None if its values compare.

    Raises:
        ConfigError: If the data of one of them cannot be read.
    """
    of_first, of_run = first.data, run.data
    if of_run.fingerprint != of_first.fingerprint:
        wanted = f"the images of {first.place} (fingerprint {of_first.fingerprint})"
        return Difference("data", wanted, f"others ({of_run.fingerprint})")
    if of_run.label_space != of_first.label_space:
        got = ", ".join(of_run.index.classes)
        return Difference("classes", f"classes and attributes of {first.place}", got)
    if of_run.crop != of_first.crop:
        wanted = f"{_crop(of_first)} as in {first.place}"
        return Difference("--center-crop", wanted, _crop(of_run))
    if not of_run.index.table[SAME_IMAGES].equals(of_first.index.table[SAME_IMAGES]):
        remedy = "Searches over one data set need the same --seed to share a split."
        return Difference("split", f"that of {first.place}", "another one", remedy)
    return None


def _crop(data: PreparedData) -> str:
    return "whole images" if data.crop is None else f"{data.crop[0]}x{data.crop[1]}"


def _repeated(runs: Sequence[RunFolder]) -> Iterator[str]:
    known = set()
    for run in runs:
        if run.path.resolve() in known:
            yield expected(run.place, "each run folder once", "it twice")
        known.add(run.path.resolve())


@dataclass(frozen=True)
class ComparableRuns:
    """Which of several runs have values that compare.

    Args:
        numbers: A number, from 1, for each run in their order: values compare where it is equal.
        notes: What a reader must know of it, a sentence each; empty where all compare.
    """

    numbers: tuple[int, ...]
    notes: tuple[str, ...] = ()


@dataclass(eq=False)
class _Group:
    """Runs whose values compare; ``first`` is None where its data cannot be read."""

    first: RunFolder | None
    why: str
    names: list[str]


def comparable_runs(runs: Sequence[RunFolder]) -> ComparableRuns:
    """Return which runs have the same images, classes and split.

    A run whose data cannot be read compares with no other.
    """
    if len(runs) < 2:
        return ComparableRuns((1,) * len(runs))
    groups: list[_Group] = []
    numbers: list[int] = []
    unread: list[str] = []
    for run in runs:
        try:
            group = _group_of(run, groups)
        except ConfigError as error:
            unread += error.problems
            group = _Group(None, " (its data cannot be read)", [])
        if group not in groups:
            groups.append(group)
        group.names.append(run.name)
        numbers.append(groups.index(group) + 1)
    return ComparableRuns(tuple(numbers), (*_group_notes(groups), *unread))


def _group_of(run: RunFolder, groups: Sequence[_Group]) -> _Group:
    """Return the group that a run belongs to, a new one if it differs from all."""
    _ = run.data
    why = ""
    for group in groups:
        if group.first is None:
            continue
        found = difference(group.first, run)
        if found is None:
            return group
        why = why or f" (another {SHORT[found.what]} than {group.first.name})"
    return _Group(run, why, [])


def _group_notes(groups: Sequence[_Group]) -> list[str]:
    if len(groups) < 2:
        return []
    parts = [f"{n} is {', '.join(g.names)}{g.why}" for n, g in enumerate(groups, start=1)]
    return [f"Values compare only where data is equal, and ranks count there: {'; '.join(parts)}."]

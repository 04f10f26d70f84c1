"""Whether trials of several searches may be compared and averaged."""

from collections.abc import Iterator, Sequence

from analysis.run_folder import RunFolder
from trainable.data.prepared import PreparedData
from trainable.errors import ConfigError, expected

SAME_IMAGES = ["path", "label", "person", "part"]


def check_agreement(runs: Sequence[RunFolder], data: Sequence[PreparedData]) -> None:
    """Check that all runs have the images, classes and split of the first.

    Args:
        runs: The runs.
        data: The data of each.

    Raises:
        ConfigError: If one differs, or is given twice, a line each that says in what.
    """
    problems = list(_repeated(runs))
    for run, of_run in zip(runs[1:], data[1:], strict=True):
        problems += _problems(runs[0], data[0], run, of_run)
    if problems:
        raise ConfigError(problems)


def _problems(
    first: RunFolder, of_first: PreparedData, run: RunFolder, of_run: PreparedData
) -> Iterator[str]:
    if of_run.fingerprint != of_first.fingerprint:
        wanted = f"the images of {first.path} (fingerprint {of_first.fingerprint})"
        yield expected(f"{run.path}: data", wanted, f"others ({of_run.fingerprint})")
        return
    if of_run.label_space != of_first.label_space:
        got = ", ".join(of_run.index.classes)
        yield expected(f"{run.path}: classes", f"classes and attributes of {first.path}", got)
        return
    if of_run.crop != of_first.crop:
        wanted = f"{_crop(of_first)} as in {first.path}"
        yield expected(f"{run.path}: --center-crop", wanted, _crop(of_run))
        return
    same = of_run.index.table[SAME_IMAGES].equals(of_first.index.table[SAME_IMAGES])
    if not same:
        remedy = "Searches over one data set need the same --seed to share a split."
        yield expected(f"{run.path}: split", f"that of {first.path}", "another one", remedy)


def _crop(data: PreparedData) -> str:
    return "whole images" if data.crop is None else f"{data.crop[0]}x{data.crop[1]}"


def _repeated(runs: Sequence[RunFolder]) -> Iterator[str]:
    known = set()
    for run in runs:
        if run.path.resolve() in known:
            yield expected(str(run.path), "each run folder once", "it twice")
        known.add(run.path.resolve())

"""From networks that were trained again to a bundle with what can be said of how good it is."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from analysis.bundle import read_bundle
from analysis.candidate import Candidate
from analysis.ensemble.soup import mean_with, settled
from analysis.estimates.interval import Resamples
from analysis.estimates.labelled import Labelled
from analysis.estimates.metric import VALIDATION, scorer
from analysis.exporting import export_members, part_probabilities
from analysis.formats.names import SAFETENSORS, FormatName
from analysis.manifest import Score
from analysis.member import choose_device, load_member
from analysis.recorded import read_probabilities
from analysis.scoring import Scoring
from search.refit.members import Recipe, Request
from search.refit.work import Job, Work
from trainable.checkpoint import load_weights, save_weights
from trainable.data.prepared import PreparedData
from trainable.data.resplit import without_validation
from trainable.data.split import TRAIN
from trainable.objective import Objective

TEST, OUT_OF_FOLD = "test", "oof"
BEFORE, AFTER, GAIN = "before", "trained again", "gain"
Weighted = list[tuple[Candidate, float]]


@dataclass(frozen=True)
class Refitted:
    """A bundle of networks that were trained again, and how good they are.

    Args:
        num_networks: How many they are.
        scores: As ``write_refit`` returns them.
    """

    num_networks: int
    scores: pd.DataFrame


def write_refit(
    data: PreparedData,
    request: Request,
    work: Work,
    out: Path,
    *,
    metric: str,
    formats: Sequence[FormatName] = (SAFETENSORS,),
) -> Refitted:
    """Write the bundle of a refit whose networks are all trained.

    Args:
        data: The data of the search.
        request: What was trained again.
        work: Where.
        out: Folder of the bundle, new or empty.
        metric: What to score by, such as ``val/f1``.
        formats: What each network is written as.

    Returns:
        With the scores: a row an estimate with the columns ``part`` (``oof`` or ``test``),
        ``what`` (``before``: the ensemble that the search ended with; ``trained again``; ``gain``,
        how much better), ``value``, ``low`` and ``high`` (the 90 % interval).

    Raises:
        ConfigError: If a file is damaged, or a network does not reproduce what was recorded.
    """
    everyone = without_validation(data)
    with TemporaryDirectory() as folder:
        members, out_of_fold_NC = _members(request, work, everyone, Path(folder))
        scores = Scoring(everyone)
        known = {} if out_of_fold_NC is None else scores.scores({TRAIN: out_of_fold_NC})
        exported = export_members(
            everyone,
            members,
            out,
            chosen=_how_made(request, work),
            metrics={f"{OUT_OF_FOLD}/{n.removeprefix(f'{TRAIN}/')}": s for n, s in known.items()},
            formats=formats,
        )
    rows = []
    name = metric.removeprefix(VALIDATION)
    if score := exported.manifest.metrics.get(f"{OUT_OF_FOLD}/{name}"):
        rows.append((OUT_OF_FOLD, AFTER, score))
    if TEST in exported.average:
        rows += _test_rows(everyone, exported.average[TEST], request.bundle, metric)
    cells = [(part, what, score.value, *(score.interval or ())) for part, what, score in rows]
    table = pd.DataFrame(cells, columns=["part", "what", "value", "low", "high"])
    return Refitted(len(members), table)


def _members(
    request: Request, work: Work, everyone: PreparedData, folder: Path
) -> tuple[Weighted, np.ndarray | None]:
    """Return the networks with their weights, and of folds what they say of everyone left out."""
    members: Weighted = []
    rows_N = everyone.rows(TRAIN)
    out_of_fold_NC = np.zeros((len(rows_N), everyone.label_space.num_classes), np.float32)
    for home, data in work.data.items():
        jobs = {job.ingredient.name: job for job in work.jobs if job.home == home}
        held_out = np.searchsorted(rows_N, data.rows("val"))
        for recipe in request.recipes:
            candidate = _candidate(recipe, jobs, data, folder / f"{len(members)}.safetensors")
            members.append((candidate, recipe.weight / len(work.homes)))
            out_of_fold_NC[held_out] += np.float32(recipe.weight) * candidate.probabilities
    has_folds = work.jobs[0].fold is not None
    return members, out_of_fold_NC if has_folds else None


def _candidate(
    recipe: Recipe, jobs: Mapping[str, Job], data: PreparedData, file: Path
) -> Candidate:
    """Return a member of one split: a network, or a soup whose weights are written to a file."""
    trained = [_of_job(jobs[ingredient.name], data) for ingredient in recipe.ingredients]
    best = trained[0]
    if len(trained) == 1:
        return best
    weights = load_weights(best.weights_file)
    for number, other in enumerate(trained[1:], start=1):
        weights = mean_with(weights, load_weights(other.weights_file), number)
    weights, probabilities = settled(weights, best, data, choose_device())
    save_weights(file, weights)
    return replace(
        best,
        name="+".join(candidate.name for candidate in trained),
        weights_file=file,
        probabilities=probabilities,
        soup_of=tuple(ingredient.name for ingredient in recipe.ingredients),
    )


def _of_job(job: Job, data: PreparedData) -> Candidate:
    folder, ingredient = job.folder, job.ingredient
    how = "train and val" if job.fold is None else f"train and val without fold {job.fold}"
    return Candidate(
        name=job.name,
        run=ingredient.run,
        trial=ingredient.number,
        config=ingredient.config,
        config_file=folder.config,
        weights_file=folder.best_weights,
        probabilities=read_probabilities(folder.probabilities, data).probabilities,
        held_out=data.rows("val"),
        trained_on=how,
    )


def _test_rows(
    data: PreparedData, after_NC: np.ndarray, bundle: Path | None, metric: str
) -> Iterator[tuple[str, str, Score]]:
    name, resamples = metric.removeprefix(VALIDATION), Resamples(Labelled.of(data, TEST))
    test = scorer(name, resamples.images)
    after = Score(value=test.of(after_NC), interval=resamples.interval(name, after_NC))
    if bundle is None:
        yield TEST, AFTER, after
        return
    before_NC = _said_before(data, bundle)
    before = Score(value=test.of(before_NC), interval=resamples.interval(name, before_NC))
    sign = Objective(metric).sign
    better, worse = (after_NC, before_NC) if sign > 0 else (before_NC, after_NC)
    gain = resamples.interval_of_gain(name, better, than_NC=worse)
    yield TEST, BEFORE, before
    yield TEST, AFTER, after
    yield TEST, GAIN, Score(value=sign * (after.value - before.value), interval=gain)


def _said_before(data: PreparedData, bundle: Path) -> np.ndarray:
    """Return what the bundle of the search says of the test images."""
    read = read_bundle(bundle)
    average_NC = np.zeros((len(data.rows(TEST)), data.label_space.num_classes), np.float32)
    for entry in read.manifest.members:
        files = read.config_file(entry), read.weights_file(entry)
        member = load_member(*files, data.label_space, choose_device())
        average_NC += np.float32(entry.weight) * part_probabilities(data, member)[TEST]
    return average_NC


def _how_made(request: Request, work: Work) -> str:
    names = ", ".join(of.name for of in request.ingredients)
    whose = "The members of a search's ensemble" if request.bundle else "Chosen trials"
    if work.jobs[0].fold is None:
        return (
            f"{whose} ({names}), trained again on training and validation part together, each "
            "for the epochs that were best when there was a validation part."
        )
    return (
        f"{whose} ({names}), each trained {len(work.homes)} times on training and validation part "
        "without a fold of the people, on which its best epoch was chosen; the average of all."
    )


def refit_lines(refitted: Refitted, metric: str) -> Iterator[str]:
    """Show the scores of a refit."""
    rows: Sequence[tuple[str, str, str]] = [
        (
            OUT_OF_FOLD,
            AFTER,
            "out of fold; best epochs were chosen on it",
        ),
        (TEST, BEFORE, "test, as the search left it"),
        (TEST, AFTER, "test, trained again; the test part decided nothing"),
        (TEST, GAIN, "gain on test"),
    ]
    cells = {(row.part, row.what): row for row in refitted.scores.itertuples()}
    yield f"{f'{metric} (90 % interval)':28}"
    for part, what, words in rows:
        if (row := cells.get((part, what))) is not None:
            sign = "+" if what == GAIN else ""
            yield f"  {row.value:{sign}.4f} ({row.low:{sign}.4f} to {row.high:{sign}.4f})  {words}"
    if refitted.scores.empty:
        yield "  Not known: the data has no test part, and nobody was left out."

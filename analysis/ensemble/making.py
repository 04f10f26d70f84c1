"""From run folders to a bundle of the ensemble: choose, cross-fit, export, score."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from analysis.bundle import check_new
from analysis.ensemble.choosing import Choice, choose
from analysis.ensemble.cost import costs_ms
from analysis.ensemble.honest import honest_numbers
from analysis.ensemble.pool import Pool, read_pool
from analysis.ensemble.selection.base import SelectionPart
from analysis.ensemble.selection.greedy import Greedy
from analysis.ensemble.soup import soups
from analysis.ensemble.view import choice_lines, honest_lines, next_lines, pool_lines
from analysis.exporting import export_members
from analysis.formats.names import SAFETENSORS, FormatName
from analysis.member import choose_device
from analysis.run_folder import RunFolder
from trainable.errors import ConfigError, expected


@dataclass(frozen=True)
class Plan:
    """What is to be made.

    Args:
        method: How members are chosen.
        metric: What is optimised, such as ``val/f1``; None for what the searches optimised.
        with_soups: Whether soups are candidates, too.
        with_dropped: Whether trials whose weights are gone are candidates, too.
        formats: What the members are written as.
    """

    method: SelectionPart
    metric: str | None = None
    with_soups: bool = False
    with_dropped: bool = False
    formats: tuple[FormatName, ...] = (SAFETENSORS,)


def make_ensemble(runs: Sequence[RunFolder], plan: Plan, out: Path) -> Iterator[str]:
    """Choose an ensemble, write its bundle, and yield what to say of it as it becomes known.

    Args:
        runs: The searches.
        plan: What is to be made.
        out: Folder of the bundle, new or empty.

    Raises:
        ConfigError: If the runs do not agree, there is nothing to choose from, or what was chosen
            cannot be exported; nothing is left in ``out`` then.
    """
    check_new(out)
    pool = read_pool(runs, metric=plan.metric, with_dropped=plan.with_dropped)
    yield from pool_lines(pool)
    with TemporaryDirectory() as folder:
        if plan.with_soups:
            pool = pool.with_candidates(soups(pool, Path(folder), choose_device()))
        choice = _chosen(pool, plan.method)
        yield ""
        yield from choice_lines(choice)
        yield ""
        yield from honest_lines(_exported(choice, plan, out), choice.pool.objective.metric)
    yield ""
    yield from next_lines(out)


def conclude_with_ensemble(run: RunFolder, out: Path) -> list[str]:
    """Write the greedy ensemble of a search and return what to say of it.

    Args:
        run: The search.
        out: Folder of the bundle, new or empty.

    Raises:
        ConfigError: If no trial has weights, or they do not reproduce what was recorded.
    """
    return list(make_ensemble([run], Plan(Greedy()), out))


def _chosen(pool: Pool, method: SelectionPart) -> Choice:
    costs: tuple[float, ...] = ()
    if method.max_ms is not None:
        costs = costs_ms(pool.candidates, pool.data.label_space, choose_device())
    return choose(pool, method, costs_ms=costs)


def _exported(choice: Choice, plan: Plan, out: Path) -> pd.DataFrame:
    """Write the bundle and return the honest numbers."""
    _check_weights(choice)
    cross_fitted = choice.cross_fitted_scores(choice.method)
    exported = export_members(
        choice.pool.data,
        choice.members,
        out,
        chosen=_how_chosen(choice),
        metrics={f"crossfit/{metric}": score for metric, score in cross_fitted.items()},
        formats=plan.formats,
    )
    return honest_numbers(choice, cross_fitted, exported)


def _check_weights(choice: Choice) -> None:
    remedy = "Leave out --all-trials, or train it anew with --keep-checkpoints larger."
    needed = {candidate.name: candidate for candidate, _ in choice.members}
    needed.setdefault(choice.best.name, choice.best)
    problems = [
        expected(f"trial {name}", "weights to export", "none any more", remedy)
        for name, candidate in needed.items()
        if not candidate.has_weights
    ]
    if problems:
        raise ConfigError(problems)


def _how_chosen(choice: Choice) -> str:
    pool, method = choice.pool, choice.method
    names = ", ".join(pool.runs)
    sentences = [
        f"{method.description()} Out of {len(pool.candidates)} candidates of {names} by "
        f"{pool.objective.metric} (method {method.part_name()})."
    ]
    if method.max_ms is not None:
        cost = choice.ballot.cost_ms(choice.selection.weights)
        sentences.append(
            f"Its networks take {cost:.3g} ms an image in batches of 64 on a "
            f"{choose_device().type}; at most {method.max_ms:g} were allowed."
        )
    return " ".join(sentences)

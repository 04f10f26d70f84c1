"""What the command says of an ensemble, line by line."""

import shlex
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from analysis.ensemble.choosing import Choice
from analysis.ensemble.honest import BEST, ENSEMBLE, GAIN
from analysis.ensemble.pool import Pool
from analysis.estimates.metric import VALIDATION

PARTS = {
    "val": ("validation", "flatters: members and epochs were chosen on it"),
    "crossfit": ("cross-fitted", "members chosen on some people, scored on the others"),
    "test": ("test", "decided nothing"),
}


def pool_lines(pool: Pool) -> Iterator[str]:
    """Say what there is to choose from, and what is not there."""
    yield from pool.problems
    names = ", ".join(pool.runs)
    yield f"{_counted(len(pool.candidates), 'candidate')} of {names}, chosen by {_metric(pool)}."
    if pool.num_dropped:
        have = "has" if pool.num_dropped == 1 else "have"
        yield (
            f"{_counted(pool.num_dropped, 'more trial')} {have} no weights any more: "
            "--keep-checkpoints of search.run keeps more, --all-trials shows what they would add."
        )


def choice_lines(choice: Choice) -> Iterator[str]:
    """Show the members, how the ensemble grew, and how much they differ."""
    members = choice.members
    names = [_trial(candidate.name, candidate.soup_of) for candidate, _ in members]
    width = max(map(len, ["member", *names]))
    costs_ms = choice.ballot.costs_ms
    yield f"{'member':{width}}  weight  {_metric(choice.pool)}{'  ms/image' if costs_ms else ''}"
    own = choice.ballot.sign * choice.ballot.goodness_of_each
    for name, (number, weight) in zip(names, choice.selection.weights.items(), strict=True):
        cost = f"  {costs_ms[number]:8.2f}" if costs_ms else ""
        yield f"{name:{width}}  {weight:6.3f}  {own[number]:{len(_metric(choice.pool))}.4f}{cost}"
    yield ""
    yield from _growth_lines(choice)


def _growth_lines(choice: Choice) -> Iterator[str]:
    curve, metric = choice.gain_curve(), _metric(choice.pool)
    best = choice.ballot.sign * choice.ballot.goodness_of_each.max()
    path = f"{metric} {best:.4f} of the best alone ({choice.best.name})"
    if len(curve) > 2:
        half = len(curve) // 2
        path += f", {curve['value'].iloc[half]:.4f} after {half + 1} steps"
    yield f"{path}, {curve['value'].iloc[-1]:.4f} after {_counted(len(curve), 'step')}."
    diversity = choice.diversity()
    if len(diversity):
        correlation = diversity["error_correlation"].mean()
        together = "" if pd.isna(correlation) else f"; their errors correlate by {correlation:.2f}"
        share = f"{100 * diversity['disagreement'].mean():.0f} %"
        yield f"Two members give different classes to {share} of the images{together}."


def honest_lines(table: pd.DataFrame, metric: str) -> Iterator[str]:
    """Show the table of ``honest_numbers``."""
    yield f"{f'{metric} (90 % interval)':26}  {BEST:24}  {ENSEMBLE}"
    cells = {(row.part, row.what): row for row in table.itertuples()}
    for part, (words, note) in PARTS.items():
        if (part, BEST) in cells:
            best, ensemble = (_cell(cells[part, what]) for what in (BEST, ENSEMBLE))
            yield f"{words:26}  {best:24}  {ensemble:24}  {note}"
    if ("test", GAIN) in cells:
        yield f"{'gain on test':26}  {'':24}  {_cell(cells['test', GAIN], sign='+')}"
    else:
        yield "The data has no test part: no score on images that nothing was chosen on."


def next_lines(out: Path) -> Iterator[str]:
    """Say what was written, and the next command."""
    bundle = shlex.quote(str(out))
    yield f"Written: {out}"
    yield f"Next:    python -m analysis.predict {bundle} --images FOLDER --out predictions.csv"


def _cell(row: object, sign: str = "") -> str:
    value, low, high = (getattr(row, name) for name in ("value", "low", "high"))
    return f"{value:{sign}.4f} ({low:{sign}.4f} to {high:{sign}.4f})"


def _trial(name: str, soup_of: tuple[str, ...]) -> str:
    return f"soup of {name}" if soup_of else f"trial {name}"


def _metric(pool: Pool) -> str:
    return VALIDATION + pool.metric


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"

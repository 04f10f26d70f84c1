"""How good the best trial and the ensemble are, and how far each number may be believed."""

import math
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any

import pandas as pd

from analysis.card import PARTS, WORDS
from analysis.ensemble.choosing import Choice
from analysis.ensemble.honest import BEST, ENSEMBLE, TEST, validation_rows
from analysis.estimates.metric import VALIDATION
from analysis.manifest import Manifest, Score
from analysis.ranking import STATE_ORDER
from analysis.report import page
from analysis.report.style import state_words
from analysis.report.subject import Subject
from analysis.report.texts import between, counted, number, rows_of
from trainable.errors import ConfigError
from trainable.run_files import ENSEMBLE_FOLDER
from trainable.trial_folder import trial_id

COLUMNS = ["part", "what", "value", "low", "high"]
LEAST_FLATTERING = {
    "val": "on validation, which flatters",
    "crossfit": "on validation people who had no part in choosing its members",
    "test": "on the test part, which decided nothing",
}
TIME = "%Y-%m-%d %H:%M %Z"


def headline_table(
    choice: Choice, manifest: Manifest | None, run_names: Collection[str]
) -> pd.DataFrame:
    """Return the honest numbers of best trial and ensemble by the metric that was optimised.

    Args:
        choice: The greedy ensemble of the run's trials.
        manifest: The bundle that was written; its ensemble takes the place of the greedy one.
        run_names: What a bundle may call the run.

    Returns:
        A row an estimate with the columns

        - ``part``: ``val`` (flattered), ``crossfit`` (members chosen on some validation people,
          scored on the others), ``test`` (decided nothing; only from a bundle);
        - ``what``: ``best member`` or ``ensemble``;
        - ``value``; ``low``, ``high``: the interval that holds it with 90 % probability, missing
          where the bundle has none.
    """
    metric = choice.pool.metric
    of_ensemble = choice.cross_fitted_scores(choice.method)[metric]
    rows = {(part, what): score for part, what, score in validation_rows(choice, of_ensemble)}
    if manifest is not None:
        rows = {key: score for key, score in rows.items() if key[1] == BEST}
        rows |= dict(_of_bundle(manifest, metric))
        rows |= dict(_best_in_bundle(manifest, choice, run_names))
    order = sorted(rows, key=lambda key: list(PARTS).index(key[0]))
    cells = [(*key, rows[key].value, *(rows[key].interval or (math.nan,) * 2)) for key in order]
    return pd.DataFrame(cells, columns=COLUMNS)


def _of_bundle(manifest: Manifest, metric: str) -> Iterator[tuple[tuple[str, str], Score]]:
    for part in PARTS:
        if score := manifest.metrics.get(f"{part}/{metric}"):
            yield (part, ENSEMBLE), score


def _best_in_bundle(
    manifest: Manifest, choice: Choice, run_names: Collection[str]
) -> Iterator[tuple[tuple[str, str], Score]]:
    name = f"{TEST}/{choice.pool.metric}"
    for member in manifest.members:
        is_best = member.run in run_names and member.trial == choice.best.trial
        if is_best and not member.soup_of and name in member.metrics:
            yield (TEST, BEST), member.metrics[name]


def headline(subject: Subject) -> tuple[str, ...]:
    """Return the section: the honest numbers, the best trial, what the run is."""
    lines = [page.paragraph(_best(subject)), page.paragraph(_counts(subject))]
    if facts := _facts(subject):
        lines.append(page.paragraph(facts, kind="note"))
    return (*_honest(subject), *lines)


def _best(subject: Subject) -> str:
    first = subject.ranking.iloc[0]
    value = f"{subject.run.metric} {number(first['value'])} on validation"
    if first["state"] == "pruned":
        value += ", at its last epoch: it was stopped early"
    return f"First in the ranking: trial {trial_id(subject.best)}, {value}."


def _honest(subject: Subject) -> Iterator[str]:
    try:
        choice = subject.choice
    except ConfigError as error:
        yield page.paragraph(f"No interval: {error.problems[-1]}", kind="note")
        return
    manifest, problem = _manifest(subject)
    honest = headline_table(choice, manifest, subject.names)
    yield page.paragraph(_in_one_line(honest, choice.pool.objective.metric), kind="big")
    yield page.table(*_shown(honest, choice, manifest))
    parts = set(honest["part"])
    words = [*(WORDS[part] for part in PARTS if part in parts), WORDS["interval"]]
    yield page.paragraph(" ".join(words), kind="note")
    if choice.best.trial != subject.best:
        yield page.paragraph(_other_best(choice), kind="note")
    if problem:
        yield page.paragraph(f"{ENSEMBLE_FOLDER}/ is left out: {problem}", kind="note")
    elif TEST not in parts:
        yield page.paragraph(_no_test(subject), kind="note")


def _manifest(subject: Subject) -> tuple[Manifest | None, str]:
    """Return the bundle's manifest, or what is wrong with it."""
    try:
        return subject.manifest, ""
    except ConfigError as error:
        return None, error.problems[-1]


def _in_one_line(honest: pd.DataFrame, metric: str) -> str:
    """Return the number that flatters least: of the ensemble if it has one of that kind."""
    part = honest["part"].iloc[-1]
    of_part = {row.what: row for row in rows_of(honest[honest["part"] == part])}
    what = ENSEMBLE if ENSEMBLE in of_part else BEST
    who = "The ensemble" if what == ENSEMBLE else "The best trial"
    name = metric.removeprefix(VALIDATION)
    return f"{who} reaches {name} {_cell(of_part[what])} {LEAST_FLATTERING[part]}."


def _other_best(choice: Choice) -> str:
    has_weights = all(candidate.has_weights for candidate in choice.pool.candidates)
    of = "trials that still have their weights" if has_weights else "recorded predictions"
    return (
        f"Best trial alone: by the best epoch of {of}. The ranking counts a stopped trial by its "
        "last epoch."
    )


def _shown(
    honest: pd.DataFrame, choice: Choice, manifest: Manifest | None
) -> tuple[list[str], list[list[str]]]:
    rows = {(row.part, row.what): row for row in rows_of(honest)}
    best = f"best trial alone ({choice.best.name})"
    num_members = len(choice.members if manifest is None else manifest.members)
    header = [choice.pool.metric, best, f"ensemble of {num_members}"]
    cells = [
        [PARTS[part], _cell(rows.get((part, BEST))), _cell(rows.get((part, ENSEMBLE)))]
        for part in dict.fromkeys(honest["part"])
    ]
    return header, cells


def _cell(row: Any) -> str:  # noqa: ANN401  # a row of the table
    if row is None:
        return "not scored"
    found = between(row.low, row.high)
    return f"{number(row.value)} ({found})" if found else number(row.value)


def _no_test(subject: Subject) -> str:
    if not len(subject.data.rows(TEST)):
        return "The data has no test part: no score on images that nothing was chosen on."
    run = subject.run.path
    command = f"python -m analysis.ensemble {run} --out {run / ENSEMBLE_FOLDER}"
    return f"No test score yet: {command} writes the ensemble and scores it on the test part."


def _counts(subject: Subject) -> str:
    counts = subject.ranking["state"].value_counts()
    found = [state for state in STATE_ORDER if state in counts]
    states = ", ".join(f"{counts[state]:,} {state_words(state)}" for state in found)
    text = f"{counted(len(subject.ranking), 'trial')}: {states}."
    if {"running", "waiting"} & set(counts.index):
        text += " The search has not ended: all of this may change."
    return text


def _facts(subject: Subject) -> str:
    facts = subject.run.facts
    said = {
        "data": facts["data"].get("source"),
        "begun": _time(facts.get("started_at")),
        "by": facts.get("user"),
        "on": facts.get("hardware", {}).get("host"),
        "code": str(facts.get("git_commit") or "")[:12],
    }
    text = ", ".join(f"{name} {value}" for name, value in said.items() if value)
    return f"{text[0].upper()}{text[1:]}." if text else ""


def _time(text: object) -> str:
    try:
        return datetime.fromisoformat(str(text)).strftime(TIME).strip()
    except ValueError:
        return ""

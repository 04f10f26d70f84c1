"""How good the best trial and the ensemble are, and how far each number may be believed."""

import math
from collections.abc import Iterator
from typing import Any

import pandas as pd

from analysis.card import PARTS, WORDS
from analysis.ensemble.choosing import Choice
from analysis.ensemble.honest import BEST, ENSEMBLE, TEST, validation_rows
from analysis.manifest import Manifest, Score
from analysis.ranking import STATE_ORDER
from analysis.report import page
from analysis.report.subject import Subject
from analysis.report.texts import between, counted, number, rows_of
from analysis.run_folder import RunFolder
from trainable.errors import ConfigError
from trainable.trial_folder import trial_id

COLUMNS = ["part", "what", "value", "low", "high"]


def headline_table(choice: Choice, manifest: Manifest | None, run: RunFolder) -> pd.DataFrame:
    """Return the honest numbers of best trial and ensemble by the metric that was optimised.

    Args:
        choice: The greedy ensemble of the run's trials.
        manifest: The bundle that was written; its ensemble takes the place of the greedy one.
        run: The run.

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
        rows |= dict(_best_in_bundle(manifest, choice, run))
    order = sorted(rows, key=lambda key: list(PARTS).index(key[0]))
    cells = [(*key, rows[key].value, *(rows[key].interval or (math.nan,) * 2)) for key in order]
    return pd.DataFrame(cells, columns=COLUMNS)


def _of_bundle(manifest: Manifest, metric: str) -> Iterator[tuple[tuple[str, str], Score]]:
    for part in PARTS:
        if score := manifest.metrics.get(f"{part}/{metric}"):
            yield (part, ENSEMBLE), score


def _best_in_bundle(
    manifest: Manifest, choice: Choice, run: RunFolder
) -> Iterator[tuple[tuple[str, str], Score]]:
    name = f"{TEST}/{choice.pool.metric}"
    for member in manifest.members:
        is_best = (member.run, member.trial) == (run.name, choice.best.trial)
        if is_best and not member.soup_of and name in member.metrics:
            yield (TEST, BEST), member.metrics[name]


def headline(subject: Subject) -> tuple[str, ...]:
    """Return the section: the best value, what the run is, the honest numbers."""
    run = subject.run
    first = subject.ranking.iloc[0]
    best = f"Best trial: {trial_id(subject.best)}, {run.metric} {number(first['value'])}"
    lines = [
        page.paragraph(f"{best} on validation.", kind="big"),
        page.paragraph(_counts(subject)),
    ]
    if facts := _facts(subject):
        lines.append(page.paragraph(facts, kind="note"))
    return (*lines, *_honest(subject))


def _honest(subject: Subject) -> Iterator[str]:
    try:
        choice, manifest = subject.choice, subject.manifest
    except ConfigError as error:
        yield page.paragraph(f"No interval: {error.problems[-1]}", kind="note")
        return
    honest = headline_table(choice, manifest, subject.run)
    yield page.table(*_shown(honest, choice, manifest))
    parts = set(honest["part"])
    words = [*(WORDS[part] for part in PARTS if part in parts), WORDS["interval"]]
    yield page.paragraph(" ".join(words), kind="note")
    if TEST not in parts:
        yield page.paragraph(_no_test(subject), kind="note")


def _shown(
    honest: pd.DataFrame, choice: Choice, manifest: Manifest | None
) -> tuple[list[str], list[list[str]]]:
    rows = {(row.part, row.what): row for row in rows_of(honest)}
    best = f"best trial alone ({choice.best.name})"
    num_members = len(choice.members if manifest is None else manifest.members)
    header = [choice.pool.objective.metric, best, f"ensemble of {num_members}"]
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
    command = f"python -m analysis.ensemble {subject.run.path} --out {subject.run.path}/{ENSEMBLE}"
    return f"No test score yet: {command} writes the ensemble and scores it on the test part."


def _counts(subject: Subject) -> str:
    counts = subject.ranking["state"].value_counts()
    states = ", ".join(f"{counts[state]:,} {state}" for state in STATE_ORDER if state in counts)
    text = f"{counted(len(subject.ranking), 'trial')}: {states}."
    if {"running", "waiting"} & set(counts.index):
        text += " The search has not ended: all of this may change."
    return text


def _facts(subject: Subject) -> str:
    facts = subject.run.facts
    said = {
        "data": facts["data"].get("source"),
        "begun": facts.get("started_at"),
        "by": facts.get("user"),
        "on": facts.get("hardware", {}).get("host"),
        "code": str(facts.get("git_commit") or "")[:12],
    }
    text = ", ".join(f"{name} {value}" for name, value in said.items() if value)
    return f"{text[0].upper()}{text[1:]}." if text else ""

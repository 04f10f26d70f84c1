"""The best configuration, and the command that trains it again."""

import json
import shlex
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pandas as pd

from analysis.report import page
from analysis.report.subject import Subject
from analysis.report.texts import rows_of, short
from analysis.run_folder import CONFIG, RunFolder
from analysis.study_file import CONFIG as GIVEN
from trainable.run_files import SPACE_FILE
from trainable.trial_folder import trial_id

LINE_END = " \\\n  "
LONGEST_LINE = 88
DEFAULT_METRIC = "val/f1"


def configuration_table(subject: Subject) -> pd.DataFrame:
    """Return the best trial's hyperparameters as the search gave them.

    Returns:
        A row a hyperparameter, in the order in which the space asked, with the columns ``name``,
        such as ``optimizer/lr``, and ``value``; what is not there has its default.
    """
    given = subject.ranking.iloc[0]
    names = subject.run.trials[subject.best].user_attrs.get(GIVEN, {})
    rows = [(name, given[CONFIG + name]) for name in names]
    return pd.DataFrame(rows, columns=["name", "value"])


def command_again(run: RunFolder, number: int) -> str:
    """Return the command that trains a trial's configuration again, on the same split.

    The space is the run folder's copy; every hyperparameter is pinned, and no early stopping
    interferes.

    Args:
        run: The run.
        number: The trial.
    """
    config = run.trials[number].user_attrs.get(GIVEN, {})
    pins = [f"--set {shlex.quote(f'{name}={_json(value)}')}" for name, value in config.items()]
    return LINE_END.join(_lines(["python -m search.run", *_options(run, config), *pins]))


def _lines(words: Iterable[str]) -> list[str]:
    """Return words joined into lines that are no longer than they need to be."""
    lines: list[str] = []
    for word in words:
        if lines and len(lines[-1]) + len(word) < LONGEST_LINE:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _options(run: RunFolder, config: Mapping[str, Any]) -> Iterator[str]:
    options = run.facts.get("options", {})
    yield f"--space {shlex.quote(str(run.path / SPACE_FILE))}"
    yield f"--data {shlex.quote(str(run.facts['data'].get('source', 'DATA')))}"
    yield "--trials 1 --scheduler none"
    if epochs := options.get("max_epochs") or config.get("epochs"):
        yield f"--max-epochs {epochs}"
    if "seed" in options:
        yield f"--seed {options['seed']}"
    if run.metric != DEFAULT_METRIC:
        yield f"--metric {shlex.quote(run.metric)}"
    if crop := run.facts["data"].get("crop"):
        yield f"--center-crop {crop[0]}x{crop[1]}"
    if broken := options.get("max_broken"):
        yield f"--max-broken {broken}"
    if folder := options.get("weights_dir"):
        yield f"--weights-dir {shlex.quote(str(folder))}"


def _json(value: object) -> str:
    """Return a value as ``--set`` reads it: JSON, or text that is no JSON."""
    if isinstance(value, str):
        try:
            json.loads(value)
        except ValueError:
            return value
    return json.dumps(value)


def best_configuration(subject: Subject) -> tuple[str, ...]:
    """Return the section."""
    values = configuration_table(subject)
    rows = [(row.name, short(row.value)) for row in rows_of(values)]
    command = command_again(subject.run, subject.best)
    text = "The command that trains it again, on the same images and split, with all digits:"
    defaults = (
        f"What is not listed has its default, see trials/{trial_id(subject.best)}/config.json."
    )
    return (
        page.table(["hyperparameter", "value"], rows),
        page.paragraph(defaults, kind="note"),
        page.paragraph(text),
        page.code(command),
    )

"""The best configuration, and the command that trains it again."""

import json
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from analysis.report import page
from analysis.report.subject import Subject
from analysis.run_folder import CONFIG, RunFolder
from analysis.study_file import CONFIG as GIVEN
from trainable.run_files import SPACE_FILE
from trainable.trial_folder import trial_id

LINE_END = " \\\n  "
DEFAULT_METRIC = "val/f1"


def configuration_table(subject: Subject) -> pd.DataFrame:
    """Return the best trial's hyperparameters as the search gave them.

    Returns:
        A row a hyperparameter with the columns ``name``, such as ``optimizer/lr``, and ``value``
        as text with all digits; what is not there has its default.
    """
    given = subject.ranking.iloc[0].dropna()
    columns = [str(name) for name in given.index if str(name).startswith(CONFIG)]
    rows = [(name.removeprefix(CONFIG), str(given[name])) for name in columns]
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
    return LINE_END.join(["python -m search.run", *_options(run, config), *pins])


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
    rows = list(values.itertuples(index=False, name=None))
    command = command_again(subject.run, subject.best)
    defaults = f"The rest has its defaults: trials/{trial_id(subject.best)}/config.json."
    return (
        page.table(["hyperparameter", "value"], rows),
        page.paragraph(defaults, kind="note"),
        page.folded("The command that trains it again, on the same split", page.code(command)),
    )

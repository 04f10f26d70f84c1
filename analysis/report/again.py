"""The best configuration, and the command that trains it again."""

import shlex

import pandas as pd

from analysis.report import page
from analysis.report.subject import Subject
from analysis.report.texts import rows_of, short
from analysis.run_folder import CONFIG, RunFolder
from analysis.study_file import CONFIG as GIVEN
from trainable.trial_folder import trial_id


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
    """Return the command that trains a trial again, exactly.

    Args:
        run: The run.
        number: The trial.
    """
    place = f"{run.place.rstrip('/')}/trials/{trial_id(number)}"
    return f"python -m search.run --from {shlex.quote(place)}"


def best_configuration(subject: Subject) -> tuple[str, ...]:
    """Return the section."""
    values = configuration_table(subject)
    rows = [(row.name, short(row.value)) for row in rows_of(values)]
    command = command_again(subject.run, subject.best)
    text = (
        "The command that trains it again: the same images, split, seed, configuration and "
        "epochs. At the end it says whether the curve is the same:"
    )
    defaults = (
        f"What is not listed has its default, see trials/{trial_id(subject.best)}/config.json."
    )
    return (
        page.table(["hyperparameter", "value"], rows),
        page.paragraph(defaults, kind="note"),
        page.paragraph(text),
        page.code(command),
    )

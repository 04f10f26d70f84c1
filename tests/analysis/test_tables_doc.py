"""docs/tables.md names every column of every table, and no other."""

import re
from pathlib import Path

import pytest

from analysis.comparison import Subject, differences_table
from analysis.ranking import ranking_table
from analysis.run_folder import RunFolder, curves_table, trials_table
from analysis.trial_tables import failures_table, parameters_table

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "tables.md").read_text()
SECTION = re.compile(
    r"^## `(?P<function>\w+)\(.*?$(?P<body>.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL
)
# Of data with an attribute; which columns there are is the data's matter.
WILDCARDS = {
    r"config/.+": "config/<name>",
    r"val/class_f1/.+": "val/class_f1/<class>",
    r"val/f1/[^/]+(/.+)?": "val/f1/<attribute>",
}


def documented():
    """Return the columns of each table that the page has, by function."""
    return {
        match["function"]: [
            name
            for row in re.findall(r"^\| (`.*?) \|", match["body"], re.MULTILINE)
            for name in re.findall(r"`([^`]+)`", row)
        ]
        for match in SECTION.finditer(TEXT)
    }


def general(name):
    """Return how the page writes a column that depends on space or data."""
    fitting = (text for pattern, text in WILDCARDS.items() if re.fullmatch(pattern, name))
    return next(fitting, name)


TABLES = {
    "trials_table": trials_table,
    "curves_table": curves_table,
    "parameters_table": parameters_table,
    "failures_table": failures_table,
    "ranking_table": lambda run: ranking_table([run]),
    "differences_table": lambda run: differences_table(Subject(run, 0), Subject(run, 1)),
}


def test_every_table_is_on_the_page():
    assert documented().keys() == TABLES.keys()


@pytest.mark.parametrize("function", TABLES)
def test_the_page_names_the_columns_of_the_table(function, trained_run):
    real = TABLES[function](RunFolder(trained_run))
    names = dict.fromkeys(general(str(name)) for name in real)
    assert sorted(names) == sorted(documented()[function])

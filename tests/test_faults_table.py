"""The table of faults in the docs names tests that are there."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PAGE = TESTS.parent / "docs" / "faults.md"
ROW = re.compile(r"\| `(?P<file>[\w/]+\.py)::(?P<test>test_\w+)` \|$", re.MULTILINE)
NAMED = ROW.findall(PAGE.read_text(encoding="utf-8"))


def test_the_table_has_a_test_in_every_row():
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")]
    assert len(rows) - 2 == len(NAMED) > 10


@pytest.mark.parametrize(("file", "test"), NAMED)
def test_a_test_that_the_table_names_is_there(file, test):
    assert f"\ndef {test}(" in (TESTS / file).read_text(encoding="utf-8")

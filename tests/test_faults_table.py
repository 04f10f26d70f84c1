"""The README's table of faults names tests that are there."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
ROW = re.compile(r"\| `(?P<file>[\w/]+\.py)::(?P<test>test_\w+)` \|$", re.MULTILINE)
NAMED = ROW.findall((TESTS.parent / "README.md").read_text(encoding="utf-8"))


def test_the_table_has_a_test_in_every_row():
    text = (TESTS.parent / "README.md").read_text(encoding="utf-8")
    section = text.partition("### When something fails")[2].partition("\n### ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ")]
    assert len(rows) - 2 == len(NAMED) > 10


@pytest.mark.parametrize(("file", "test"), NAMED)
def test_a_test_that_the_table_names_is_there(file, test):
    assert f"\ndef {test}(" in (TESTS / file).read_text(encoding="utf-8")

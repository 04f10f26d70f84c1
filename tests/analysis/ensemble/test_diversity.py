import numpy as np
import pytest

from analysis.ensemble.diversity import diversity_table
from analysis.estimates.stack import Stack

LABELS = np.array([0, 0, 1, 1])
PREDICTED = {"a": [0, 1, 1, 1], "b": [0, 1, 0, 1], "c": [1, 0, 1, 0], "perfect": [0, 0, 1, 1]}


@pytest.fixture
def table():
    votes = [np.eye(2, dtype=np.float32)[predicted] for predicted in PREDICTED.values()]
    return diversity_table(Stack.of(votes), LABELS, list(PREDICTED)).set_index(["first", "second"])


def test_a_row_for_each_pair(table):
    assert len(table) == 6
    assert list(table.columns) == ["disagreement", "error_correlation"]


def test_values_worked_out_by_hand(table):
    """a errs on the second image, b on the second and third: covariance 1/8, correlation 1/√3."""
    assert table.loc[("a", "b"), "disagreement"] == 0.25
    assert table.loc[("a", "b"), "error_correlation"] == pytest.approx(3**-0.5)
    assert table.loc[("b", "c"), "disagreement"] == 1.0
    assert table.loc[("b", "c"), "error_correlation"] == -1.0


def test_the_correlation_is_missing_where_one_never_errs(table):
    assert np.isnan(table.loc[("a", "perfect"), "error_correlation"])


def test_one_candidate_gives_no_pairs():
    votes = [np.eye(2, dtype=np.float32)[PREDICTED["a"]]]
    assert diversity_table(Stack.of(votes), LABELS, ["a"]).empty

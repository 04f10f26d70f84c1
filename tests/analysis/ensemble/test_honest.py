"""The table of honest numbers, and what the benchmark makes of it."""

import numpy as np
import pytest

from analysis.ensemble.choosing import choose
from analysis.ensemble.honest import honest_numbers
from analysis.ensemble.pool import read_pool
from analysis.ensemble.selection.greedy import Greedy
from analysis.ensemble.selection.top_k import TopK
from analysis.exporting import export_members
from analysis.run_folder import RunFolder
from benchmarks.honest_numbers import numbers_of


@pytest.fixture
def made(trained_run, tmp_path):
    choice = choose(read_pool([RunFolder(trained_run)]), TopK(max_members=2))
    cross_fitted = choice.cross_fitted_scores(choice.method)
    data = choice.pool.data
    exported = export_members(data, choice.members, tmp_path / "out", chosen="By a test.")
    return choice, honest_numbers(choice, cross_fitted, exported).set_index(["part", "what"])


def test_a_row_for_each_part_and_predictor_and_the_gain(made):
    _, table = made
    assert list(table.columns) == ["value", "low", "high"]
    assert [*table.index] == [
        ("val", "best member"),
        ("val", "ensemble"),
        ("crossfit", "best member"),
        ("crossfit", "ensemble"),
        ("test", "best member"),
        ("test", "ensemble"),
        ("test", "gain"),
    ]
    assert (table["low"] <= table["high"]).all()


def test_the_gain_is_the_difference_and_the_validation_score_that_of_the_choice(made):
    choice, table = made
    value = table["value"]
    difference = value["test", "ensemble"] - value["test", "best member"]
    assert value["test", "gain"] == pytest.approx(difference)
    assert value["val", "ensemble"] == pytest.approx(choice.selection.goodness)
    assert value["val", "best member"] == pytest.approx(choice.ballot.goodness_of_each.max())


def test_the_gain_curve_names_what_was_added(made):
    choice, _ = made
    curve = choice.gain_curve()
    assert list(curve.columns) == ["step", "added", "value"]
    assert list(curve["added"]) == [candidate.name for candidate, _ in choice.members]
    assert curve["value"].iloc[-1] == pytest.approx(choice.selection.goodness)


def test_the_diversity_of_members_is_that_of_each_pair(made):
    choice, _ = made
    (row,) = choice.diversity().itertuples()
    one, other = (candidate for candidate, _ in choice.members)
    classes = [candidate.probabilities.argmax(axis=1) for candidate in (one, other)]
    assert (row.first, row.second) == (one.name, other.name)
    assert row.disagreement == pytest.approx(np.mean(classes[0] != classes[1]))


def test_the_benchmark_scores_best_and_ensemble_on_other_people(trained_run, coloured_data):
    """On the images of the run itself, the truth is the score on all of them."""
    run = RunFolder(trained_run)
    row = numbers_of(run, coloured_data)
    choice = choose(read_pool([run]), Greedy())
    assert row["num_members"] == len(choice.members)
    assert row["ensemble/val"] == pytest.approx(choice.selection.goodness)
    assert row["ensemble/val"] >= row["best member/val"]
    for what in ("best member", "ensemble"):
        parts = [row[f"{what}/{part}"] for part in ("val", "test")]
        assert min(parts) - 0.3 < row[f"{what}/truth"] <= 1
        assert row[f"{what}/test/low"] <= row[f"{what}/test"] <= row[f"{what}/test/high"]

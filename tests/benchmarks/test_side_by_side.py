"""What the benchmarks of speed make of their times, on times by hand."""

import time

import pandas as pd
import pytest

from benchmarks.side_by_side import COLUMNS, cpu_seconds, show, times_as_fast


def timed(seconds):
    """Return work, and what says how long each of its goes took; the first is not asked for."""
    goes = iter(seconds)
    return lambda: next(goes)


def test_the_median_ratio_is_theirs_by_ours_without_the_first_time():
    ours, theirs = timed([100, 1, 2, 4]), timed([1, 3, 3, 3])
    result = times_as_fast(ours, theirs, repeats=3, seconds=lambda work: work())
    assert result["ratio"] == 1.5
    assert result["low"] == pytest.approx(0.75 + 0.2 * (1.5 - 0.75))
    assert result["high"] == pytest.approx(1.5 + 0.8 * (3 - 1.5))


def test_waiting_costs_no_cpu_time():
    assert cpu_seconds(lambda: time.sleep(0.1)) < 0.05


def test_a_table_says_which_rows_reach_their_goal(capsys):
    rows = [("a", "b", 1.0, 0.9, 1.1, 0.97), ("c", "d", 7.0, 6.0, 8.0, 8.0)]
    show(pd.DataFrame(rows, columns=COLUMNS))
    first, second = capsys.readouterr().out.splitlines()[1:]
    assert first.endswith("True")
    assert second.endswith("False")

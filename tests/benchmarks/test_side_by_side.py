"""What the benchmarks of speed measure."""

import time

from benchmarks.side_by_side import cpu_seconds, timed_in_turns


def test_waiting_costs_no_cpu_time():
    assert cpu_seconds(lambda: time.sleep(0.1)) < 0.05


def test_both_sides_are_timed_in_turns_after_a_first_time():
    calls = []
    pairs = timed_in_turns(lambda: calls.append("o"), lambda: calls.append("t"), repeats=2)
    assert "".join(calls) == "ottoot"
    assert [len(pair) for pair in pairs] == [2, 2]

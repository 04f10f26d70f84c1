from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.predict_throughput import measured, summary


def test_the_ratio_is_to_the_better_of_the_others_in_the_same_repeat():
    rates = pd.DataFrame({"ours": [10.0, 30.0, 20.0], "a": [5.0, 10.0, 20.0], "b": [8, 5, 10]})
    assert summary(rates) == {"ours": "20", "a": "10", "b": "8", "ratio": "1.25 (1.00 to 3.00)"}


def test_ways_that_say_different_things_are_not_compared():
    ways = {"a": lambda paths: np.zeros(len(paths)), "b": lambda paths: np.ones(len(paths))}
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        measured(ways, [Path("x")], repeats=1)


def test_every_way_is_measured_in_every_repeat():
    ways = {name: lambda paths: np.zeros(len(paths)) for name in "abc"}
    assert measured(ways, [Path("x")] * 3, repeats=4).shape == (4, 3)

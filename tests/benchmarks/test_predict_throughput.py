from pathlib import Path

import numpy as np
import pytest

from benchmarks.predict_throughput import measured


def test_ways_that_say_different_things_are_not_compared():
    ways = {"a": lambda paths: np.zeros(len(paths)), "b": lambda paths: np.ones(len(paths))}
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        measured(ways, [Path("x")], repeats=1)


def test_every_way_is_measured_in_every_repeat():
    ways = {name: lambda paths: np.zeros(len(paths)) for name in "abc"}
    assert measured(ways, [Path("x")] * 3, repeats=4).shape == (4, 3)

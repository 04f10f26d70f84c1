from functools import partial

import numpy as np
import pandas as pd
import pytest

from benchmarks.recorded_space import COLUMNS, configurations
from benchmarks.search_quality import (
    BUDGET_EPOCHS,
    REFERENCE,
    epochs_needed,
    methods,
    summary,
)


@pytest.fixture(scope="module")
def curves_file(tmp_path_factory):
    """Curves that rise to a height which every configuration has for itself."""
    heights = np.random.default_rng(0).permutation(288) / 400
    table = pd.DataFrame(configurations(), columns=list(COLUMNS))
    for epoch in range(1, 10):
        table[f"epoch_{epoch}"] = heights * (1 - 0.5**epoch)
    file = tmp_path_factory.mktemp("curves") / "curves.csv"
    table.to_csv(file, index=False)
    return file


@pytest.mark.parametrize("name", list(methods()))
def test_every_method_searches_and_the_same_seed_gives_the_same_search(name, curves_file):
    search = partial(epochs_needed, name, 3, curves_file=curves_file, budget_epochs=60)
    to_one_point, to_three_points = search()
    assert search() == [to_one_point, to_three_points]
    assert 1 <= to_three_points <= to_one_point <= 61


def test_the_summary_counts_a_search_that_did_not_get_there_with_the_whole_budget():
    rows = [(REFERENCE, seed, 100, 50) for seed in range(4)]
    rows += [("other", seed, BUDGET_EPOCHS + 1, 100) for seed in range(4)]
    table = summary(pd.DataFrame(rows, columns=["method", "seed", 1, 3])).set_index("method")
    assert table.loc["other", "epochs to 1 pt"] == "600 (600 to 600)"
    assert table.loc["other", "got to 1 pt"] == "0%"
    assert table.loc["other", "ratio 1 pt"] == "6.00 (6.00 to 6.00)"
    assert table.loc["other", "ratio 3 pt"] == "2.00 (2.00 to 2.00)"
    assert table.loc[REFERENCE, "ratio 1 pt"] == "1.00 (1.00 to 1.00)"


def test_the_interval_is_that_of_the_mean():
    rows = [(REFERENCE, seed, epochs, epochs) for seed, epochs in enumerate([100, 300] * 15)]
    text = summary(pd.DataFrame(rows, columns=["method", "seed", 1, 3]))["epochs to 1 pt"][0]
    mean, low, high = (
        int(number)
        for number in text.replace("(", "").replace(")", "").split()
        if number.isdigit()
    )
    # The mean of 30 such numbers has a standard error of 18, of which 1.64 are 30.
    assert mean == 200
    assert low == pytest.approx(170, abs=5)
    assert high == pytest.approx(230, abs=5)

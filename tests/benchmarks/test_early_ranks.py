import numpy as np

from benchmarks.early_ranks import rank_table, spread_table

CURVES = np.array([[0.1, 0.5, 0.4], [0.2, 0.3, 0.6], [0.3, 0.2, 0.7]])


def test_ranks_are_of_the_best_value_so_far():
    # Best so far: 0.1 0.2 0.3, then 0.5 0.3 0.3, then 0.5 0.6 0.7.
    assert rank_table(CURVES)["rank correlation"].tolist() == [1.0, -0.87, 1.0]


def test_the_spread_is_of_each_configurations_best_value():
    assert spread_table(CURVES)["best macro F1"].tolist() == [0.5, 0.55, 0.6, 0.65, 0.7]

import pytest
from scipy.stats import fisher_exact

from analysis.failures import Outcome, Trait, _chance, kind_of, kinds, traits_of_failures


def outcomes(*groups):
    """Return trials of groups (number of them, number of failures, hyperparameters)."""
    return [
        Outcome(params, has_failed=place < failed)
        for count, failed, params in groups
        for place in range(count)
    ]


def texts(trials):
    return [str(trait) for trait in traits_of_failures(trials)]


def test_a_choice_that_always_fails_is_found_with_its_counts():
    trials = outcomes((6, 6, {"optimizer/name": "sgd"}), (9, 0, {"optimizer/name": "adamw"}))
    assert texts(trials) == ["optimizer/name=sgd (6 of 6 failed, of the others 0 of 9)"]
    assert traits_of_failures(trials)[0].always_fails


def test_failures_spread_evenly_have_nothing_in_common():
    assert texts(outcomes((8, 3, {"loss/name": "focal"}), (8, 3, {"loss/name": "f1"}))) == []


def test_where_everything_failed_nothing_sets_the_failures_apart():
    assert texts(outcomes((5, 5, {"loss/name": "focal"}), (4, 4, {"loss/name": "f1"}))) == []


def test_two_failures_may_be_chance():
    assert texts(outcomes((2, 2, {"loss/name": "focal"}), (6, 0, {"loss/name": "f1"}))) == []


def test_a_threshold_of_a_number_is_found():
    rates = [10 ** (-place / 5) for place in range(20)]
    trials = [Outcome({"optimizer/lr": rate}, has_failed=rate > 0.05) for rate in rates]
    assert texts(trials) == ["optimizer/lr≥0.0398 (7 of 8 failed, of the others 0 of 12)"]


def test_what_depends_on_the_culprit_is_not_blamed_besides_it():
    trials = outcomes(
        (4, 4, {"optimizer/name": "sgd", "loss/name": "focal", "optimizer/momentum": 0.9}),
        (4, 4, {"optimizer/name": "sgd", "loss/name": "f1", "optimizer/momentum": 0.9}),
        (6, 0, {"optimizer/name": "adamw", "loss/name": "f1"}),
        (1, 0, {"optimizer/name": "adamw", "loss/name": "focal"}),
    )
    assert texts(trials) == ["optimizer/name=sgd (8 of 8 failed, of the others 0 of 7)"]


def test_two_culprits_are_both_found():
    trials = outcomes(
        (8, 8, {"optimizer/name": "sgd", "loss/name": "focal"}),
        (8, 8, {"optimizer/name": "adamw", "loss/name": "f1"}),
        (12, 0, {"optimizer/name": "adamw", "loss/name": "focal"}),
    )
    assert {text.split(" ")[0] for text in texts(trials)} == {
        "optimizer/name=sgd",
        "loss/name=f1",
    }


def test_values_that_do_not_hash_are_compared():
    trials = outcomes((6, 6, {"resize": [128, 96]}), (6, 0, {"resize": [64, 48]}))
    assert texts(trials)[0].startswith("resize=[128, 96] (6 of 6")


@pytest.mark.parametrize("counts", [(6, 6, 0, 9), (3, 5, 2, 7), (0, 4, 3, 3), (1, 1, 0, 1)])
def test_the_chance_is_that_of_fishers_exact_test(counts):
    failed, num_with, others_failed, others = counts
    table = [[failed, num_with - failed], [others_failed, others - others_failed]]
    trait = Trait("a", "=", 1, *counts)
    assert _chance(trait) == pytest.approx(fisher_exact(table, alternative="greater").pvalue)


def test_reasons_that_differ_in_numbers_are_one_kind_the_most_frequent_first():
    reasons = {
        4: "hung: no epoch in 600 s",
        1: "train/loss: expected a finite number, got nan in epoch 3.",
        7: "train/loss: expected a finite number, got nan in epoch 12.",
    }
    assert kinds(reasons) == {
        "train/loss: expected a finite number, got nan in epoch N.": [1, 7],
        "hung: no epoch in N s": [4],
    }


def test_digits_of_names_stay():
    assert kind_of("val/f1: resnext50_32x4d at 32x24") == "val/f1: resnext50_32x4d at 32x24"

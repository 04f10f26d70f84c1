"""What holds for every selection."""

import numpy as np
import pytest

from analysis.ensemble.selection import SelectionMethod
from analysis.estimates.metric import scorer
from trainable.errors import ConfigError
from trainable.part import members

PARTS = members(SelectionMethod)


@pytest.fixture(params=PARTS, ids=lambda part: part.part_name())
def part(request):
    return request.param


@pytest.mark.parametrize("metric", ["f1", "accuracy", "loss"])
def test_the_weights_are_shares_of_few_members_heaviest_first(part, make_ballot, metric):
    selection = part(max_members=3).select(make_ballot(metric=metric))
    weights = list(selection.weights.values())
    assert 1 <= len(weights) <= 3
    assert sum(weights) == pytest.approx(1)
    assert min(weights) > 0
    assert weights == sorted(weights, reverse=True)


@pytest.mark.parametrize("metric", ["f1", "accuracy", "loss"])
def test_the_last_step_says_how_good_the_weighted_average_is(part, make_ballot, metric):
    ballot = make_ballot(metric=metric)
    selection = part().select(ballot)
    average = ballot.average(selection.weights)
    sign = -1 if metric == "loss" else 1
    wanted = sign * scorer(metric, ballot.images).of(average)
    assert selection.goodness == pytest.approx(wanted, abs=1e-6)


def test_the_same_candidates_give_the_same_members(part, make_ballot):
    assert part().select(make_ballot()) == part().select(make_ballot())


@pytest.mark.parametrize("metric", ["f1", "loss"])
def test_one_member_is_the_best_candidate(part, make_ballot, metric):
    ballot = make_ballot(metric=metric)
    values = scorer(metric, ballot.images).of_each(ballot.stack)
    best = int(values.argmin() if metric == "loss" else values.argmax())
    assert part(max_members=1).select(ballot).weights == {best: 1.0}


def test_a_single_candidate_is_the_ensemble(part, make_ballot):
    assert part().select(make_ballot(num_candidates=1)).weights == {0: 1.0}


def test_members_cost_no_more_than_allowed(part, make_ballot):
    costs = (9.0, 4.0, 3.0, 2.0, 9.0, 3.5, 2.5, 9.0)
    ballot = make_ballot(costs_ms=costs)
    chosen = part(max_ms=6.0).select(ballot).weights
    assert ballot.cost_ms(chosen) <= 6
    assert len(chosen) > 1


def test_a_cost_that_no_candidate_keeps_is_refused(part, make_ballot):
    ballot = make_ballot(costs_ms=(2.0,) * 8)
    with pytest.raises(ConfigError, match=r"--max-gpu-ms: expected room .*, got 2 ms for the che"):
        part(max_ms=1.5).select(ballot)


def test_on_fewer_images_only_these_decide(part, make_ballot):
    ballot = make_ballot()
    mask = ballot.images.person < 8
    selection = part().select(ballot.on(mask))
    wanted = scorer("f1", ballot.images.subset(mask)).of(ballot.average(selection.weights)[mask])
    assert selection.goodness == pytest.approx(wanted, abs=1e-6)


def test_a_candidate_that_is_not_there_is_not_chosen(part, make_ballot):
    ballot = make_ballot()
    some = part().select(ballot.of(np.array([1, 4, 6])))
    assert set(some.weights) <= {0, 1, 2}

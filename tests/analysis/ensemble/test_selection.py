"""What each selection is known for."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from analysis.ensemble.ballot import Ballot
from analysis.ensemble.selection.best_per_backbone import BestPerBackbone
from analysis.ensemble.selection.exhaustive import Exhaustive
from analysis.ensemble.selection.greedy import Greedy
from analysis.ensemble.selection.top_k import TopK
from analysis.estimates.labelled import Labelled
from analysis.estimates.stack import Stack
from trainable.data.index import LabelSpace
from trainable.errors import ConfigError
from trainable.metrics import macro_f1

TWO = LabelSpace(("no", "yes"))


def ballot_of(yes_MN, labels_N, *, metric="accuracy", backbones=None):
    """Return a ballot of candidates by their probability of ``yes``."""
    yes = np.array(yes_MN, np.float32)
    stack = Stack.of(np.stack([1 - yes, yes], axis=2))
    labels = np.array(labels_N)
    images = Labelled(labels, np.arange(len(labels)), {}, TWO)
    return Ballot(stack, images, metric, tuple(backbones or ["net"] * len(yes)))


# Truth is yes for all five images. Candidate 0 is right on three, 1 and 2 on two each: 1 makes up
# for what 0 misses only if it has a single vote of three.
COMPLEMENT = [
    [0.9, 0.9, 0.6, 0.4, 0.4],
    [0.0, 0.0, 0.0, 0.9, 0.9],
    [0.6, 0.6, 0.1, 0.1, 0.1],
]


def test_greedy_worked_out_by_hand():
    """0 alone 3/5; 0 and 1: 0.45 0.45 0.3 0.65 0.65, 2/5; twice 0 and 1: 0.6 0.6 0.4 0.57 0.57."""
    selection = Greedy(start=1, rounds=3).select(ballot_of(COMPLEMENT, [1] * 5))
    assert [step.added for step in selection.steps] == [0, 0, 1]
    assert [step.goodness for step in selection.steps] == pytest.approx([0.6, 0.6, 0.8])
    assert selection.weights == pytest.approx({0: 2 / 3, 1: 1 / 3})


def naive_greedy(ballot, rounds):
    """Return the order in which a straightforward loop over candidates adds them."""
    votes = ballot.stack.probabilities.transpose(2, 0, 1)
    labels = torch.from_numpy(ballot.images.labels)
    order = []
    for _ in range(rounds):
        chosen = [votes[number] for number in order]
        averages = [np.mean([*chosen, vote], axis=0, dtype=np.float32) for vote in votes]
        predicted = [torch.from_numpy(average.argmax(axis=1)) for average in averages]
        scores = [macro_f1(of_one, labels, 4).item() for of_one in predicted]
        order.append(int(np.argmax(np.round(scores, 6))))
    return order


@pytest.mark.parametrize("seed", range(4))
def test_greedy_adds_what_a_straightforward_loop_adds(make_ballot, seed):
    ballot = make_ballot(num_candidates=12, num_people=40, seed=seed)
    ballot = ballot.of(ballot.best_first)  # of equally good ones both take the better one
    selection = Greedy(start=1, rounds=10, max_members=12).select(ballot)
    assert len(selection.steps) > 2
    wanted = naive_greedy(ballot, len(selection.steps))
    assert [step.added for step in selection.steps] == wanted


@pytest.mark.parametrize("bags", [1, 5])
@pytest.mark.parametrize("seed", range(12))
def test_greedy_is_never_worse_than_the_best_candidate(make_ballot, seed, bags):
    ballot = make_ballot(num_people=4, seed=seed, skill=0.3)
    selection = Greedy(bags=bags, bag_share=0.4, start=4).select(ballot)
    assert selection.goodness >= ballot.goodness_of_each.max()


def test_greedy_takes_the_best_average_on_its_way(make_ballot):
    ballot = make_ballot(num_people=6, seed=3)
    short, long = (Greedy(rounds=n).select(ballot) for n in (5, 40))
    goodness = [step.goodness for step in long.steps]
    assert goodness[-1] == max(goodness)
    assert goodness.index(max(goodness)) == len(goodness) - 1
    assert long.goodness >= short.goodness


def test_a_sorted_start_is_the_best_prefix_of_the_best():
    """Alone 4/6, 4/6, 3/6; the first two together are right everywhere."""
    votes = [[0.9, 0.9, 0.9, 0.9, 0.2, 0.2], [0.2, 0.2, 0.9, 0.9, 0.9, 0.9], [0.9] * 3 + [0.0] * 3]
    ballot = ballot_of(votes, [1] * 6)
    selection = Greedy(start=3, rounds=3).select(ballot)
    assert [step.added for step in selection.steps] == [0, 1]
    assert selection.goodness == 1.0


def test_bags_average_what_their_parts_choose(make_ballot):
    ballot = make_ballot(num_candidates=20)
    selection = Greedy(bags=8, max_members=6, seed=1).select(ballot)
    assert len(selection.steps) == 8
    assert len(selection.weights) == 6
    assert Greedy(bags=8, max_members=6, seed=2).select(ballot).weights != selection.weights


def test_top_k_weighs_the_best_equally(make_ballot):
    ballot = make_ballot()
    selection = TopK(max_members=3).select(ballot)
    assert list(selection.weights) == ballot.best_first[:3].tolist()
    assert set(selection.weights.values()) == {1 / 3}


def test_best_per_backbone_takes_one_of_each(make_ballot):
    ballot = make_ballot()
    chosen = BestPerBackbone().select(ballot).weights
    assert {ballot.backbones[number] for number in chosen} == {"net0", "net1", "net2"}
    for number in chosen:
        same = [n for n, name in enumerate(ballot.backbones) if name == ballot.backbones[number]]
        assert ballot.goodness_of_each[number] == max(ballot.goodness_of_each[same])


def test_exhaustive_finds_the_pair_that_greedy_misses():
    """0 is the best alone, 4/6; 1 and 2 together are right everywhere."""
    votes = [
        [0.6, 0.6, 0.6, 0.6, 0.0, 0.0],
        [0.9, 0.9, 0.9, 0.2, 0.2, 0.2],
        [0.2, 0.2, 0.2, 0.9, 0.9, 0.9],
    ]
    ballot = ballot_of(votes, [1] * 6)
    selection = Exhaustive().select(ballot)
    assert set(selection.weights) == {1, 2}
    assert [step.goodness for step in selection.steps] == pytest.approx([4 / 6, 1.0])


def test_exhaustive_is_at_least_as_good_as_every_equally_weighted_average(make_ballot):
    ballot = make_ballot(seed=5)
    exhaustive = Exhaustive(max_members=4).select(ballot)
    for part in (TopK(max_members=4), BestPerBackbone(max_members=4)):
        assert exhaustive.goodness >= part.select(ballot).goodness


def test_exhaustive_refuses_a_large_pool(make_ballot):
    with pytest.raises(ConfigError, match=r"at most 20,000 subsets .*, got 74,518 of 37 cand"):
        Exhaustive(max_members=4).select(make_ballot(num_candidates=37))


def test_a_value_without_effect_is_refused():
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        TopK(rounds=3)

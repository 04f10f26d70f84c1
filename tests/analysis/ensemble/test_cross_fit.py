import numpy as np
import pytest

from analysis.ensemble.ballot import Ballot
from analysis.ensemble.cross_fit import cross_fitted
from analysis.ensemble.selection.greedy import Greedy
from analysis.ensemble.selection.top_k import TopK
from analysis.estimates.labelled import Labelled
from analysis.estimates.metric import scorer
from analysis.estimates.stack import Stack
from trainable.data.index import LabelSpace

LABELS = LabelSpace(("no", "yes"))


def guesses(num_candidates, num_people, seed):
    """Return candidates that know nothing: each is right for half of the people."""
    rng = np.random.default_rng(seed)
    labels = np.arange(num_people) % 2
    yes = rng.random((num_candidates, num_people))
    stack = Stack.of(np.stack([1 - yes, yes], axis=2).astype(np.float32))
    images = Labelled(labels, np.arange(num_people), {}, LABELS)
    return Ballot(stack, images, "accuracy", ("net",) * num_candidates)


@pytest.mark.parametrize("method", [TopK(max_members=1), Greedy(rounds=5)])
def test_choosing_among_guesses_flatters_and_cross_fitting_does_not(method):
    flattered, honest = [], []
    for seed in range(40):
        ballot = guesses(20, 50, seed)
        flattered.append(method.select(ballot).goodness)
        (predictions,) = cross_fitted(ballot, method, num_repeats=1)
        honest.append(scorer("accuracy", ballot.images).of(predictions))
    assert np.mean(flattered) > 0.6
    assert np.mean(honest) == pytest.approx(0.5, abs=0.035)


def test_a_person_is_predicted_by_members_chosen_without_them():
    """Candidate 0 is right for everyone; 1 for all but one person, and loudly so for that one."""
    labels = np.zeros(12, int)
    yes = np.zeros((2, 12))
    yes[1, 0] = 1
    stack = Stack.of(np.stack([1 - yes, yes], axis=2).astype(np.float32))
    images = Labelled(labels, np.arange(12), {}, LABELS)
    ballot = Ballot(stack.candidates(np.array([1, 0])), images, "accuracy", ("a", "b"))
    for predictions in cross_fitted(ballot, TopK(max_members=1), num_folds=12, num_repeats=2):
        # Without person 0 both are equally good, and the first is taken: the one that errs.
        assert predictions.argmax(axis=1).tolist() == [1] + [0] * 11


def test_repeats_deal_out_the_people_anew(make_ballot):
    ballot = make_ballot(num_people=10)
    first, second = cross_fitted(ballot, Greedy(), num_repeats=2)
    assert first.shape == ballot.stack.probabilities.shape[:2]
    assert (first != second).any()


def test_a_single_person_is_predicted_by_what_was_chosen_on_them(make_ballot):
    ballot = make_ballot(num_people=1)
    (predictions,) = cross_fitted(ballot, TopK(max_members=1), num_repeats=1)
    np.testing.assert_array_equal(predictions, ballot.votes(int(ballot.best_first[0])))

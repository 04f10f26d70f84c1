from analysis.ensemble.ballot import Ballot
from analysis.ensemble.selection.greedy import Greedy
from analysis.estimates.stack import Stack
from benchmarks.ensemble_selection import simulated, straightforward


def test_the_selection_that_is_timed_adds_what_the_straightforward_loop_adds():
    candidates, images = simulated(12, 300)
    ballot = Ballot(Stack.of(candidates), images, "f1", ("net",) * 12)
    steps = Greedy(rounds=6, start=1, max_members=12).select(ballot).steps
    order = straightforward(candidates, images.labels, num_rounds=len(steps))
    assert [step.added for step in steps] == order


def test_simulated_candidates_are_right_on_most_images():
    candidates, images = simulated(10, 500)
    share = (candidates.argmax(axis=2) == images.labels).mean()
    assert 0.6 < share < 0.9

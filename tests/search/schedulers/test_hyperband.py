from collections import Counter

import pytest

from search.schedulers.hyperband import Hyperband, bracket_shares


def make(seed=0):
    return Hyperband((1, 3, 9), reduction_factor=3, seed=seed)


def test_a_trials_bracket_depends_on_seed_and_number_alone():
    forwards = {number: make().rungs_of(number) for number in range(50)}
    scheduler = make()
    assert {n: scheduler.rungs_of(n) for n in reversed(range(50))} == forwards
    assert {n: make(seed=1).rungs_of(n) for n in range(50)} != forwards


def test_brackets_are_drawn_by_their_shares():
    scheduler = make()
    counts = Counter(scheduler.rungs_of(number) for number in range(4000))
    assert list(dict(counts.most_common())) == [(1, 3, 9), (3, 9), (9,), ()]
    shares = bracket_shares(3, 3)
    for rungs, share in zip([(1, 3, 9), (3, 9), (9,), ()], shares, strict=True):
        assert counts[rungs] / 4000 == pytest.approx(share, abs=0.03)


def test_shares_are_those_of_the_paper():
    # 27 / 4, 9 / 3, 3 / 2 and 1 of 12.25.
    assert bracket_shares(3, 3) == pytest.approx([6.75 / 12.25, 3 / 12.25, 1.5 / 12.25, 1 / 12.25])
    assert bracket_shares(0, 3) == [1.0]


def test_trials_are_compared_within_their_bracket():
    scheduler = make()
    first, second = (
        [number for number in range(99) if scheduler.rungs_of(number) == rungs]
        for rungs in ((1, 3, 9), (3, 9))
    )
    scheduler.replay(first[0], {1: 0.9, 2: 0.9, 3: 0.9})
    assert not scheduler.should_stop(second[0], epoch=3, value=0.1)
    assert scheduler.should_stop(second[1], epoch=3, value=0.05)
    assert not scheduler.should_stop(second[2], epoch=1, value=0.0)
    assert scheduler.should_stop(first[1], epoch=1, value=0.8)


def test_what_it_would_do_is_said():
    assert make().describe() == (
        "At each rung one in 3 would go on; rungs: 55% of trials 1, 3, 9; 24% of trials 3, 9; "
        "12% of trials 9; 8% of trials none."
    )

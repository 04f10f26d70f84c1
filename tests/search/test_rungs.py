import pytest

from search.rungs import Rungs


def test_the_first_trial_of_a_rung_passes():
    assert not Rungs((2,), reduction_factor=3).should_stop(0, epoch=2, best=-1.0)


def test_a_trial_below_the_best_third_is_stopped():
    rungs = Rungs((2,), reduction_factor=3)
    rungs.replay(0, {2: 0.1})
    rungs.replay(1, {2: 0.4})
    rungs.replay(2, {2: 0.7})
    # The upper third of 0.1, 0.4, 0.7 begins at 0.5.
    assert rungs.should_stop(3, epoch=2, best=0.49)
    assert not Rungs((2,), reduction_factor=3).should_stop(3, epoch=2, best=0.49)


def test_a_trial_as_good_as_the_best_third_goes_on():
    rungs = Rungs((2,), reduction_factor=3)
    for number, value in enumerate((0.1, 0.4, 0.7)):
        rungs.replay(number, {2: value})
    assert not rungs.should_stop(3, epoch=2, best=0.5)


def test_between_rungs_nothing_stops():
    rungs = Rungs((2, 6), reduction_factor=2)
    rungs.replay(0, {2: 0.9, 6: 0.9})
    assert not rungs.should_stop(1, epoch=3, best=0.1)
    assert rungs.should_stop(1, epoch=6, best=0.1)


def test_a_rung_compares_a_trial_once():
    rungs = Rungs((2,), reduction_factor=2)
    rungs.replay(0, {2: 0.9})
    assert rungs.should_stop(1, epoch=2, best=0.1)
    assert not rungs.should_stop(1, epoch=2, best=0.1)


def test_values_of_stopped_trials_count():
    rungs = Rungs((1,), reduction_factor=2)
    rungs.should_stop(0, epoch=1, best=0.5)
    rungs.should_stop(1, epoch=1, best=0.1)
    assert not rungs.should_stop(2, epoch=1, best=0.31)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
def test_replayed_rungs_are_as_the_live_ones_in_any_order(order):
    curves = [{1: 0.2, 2: 0.3, 3: 0.3}, {1: 0.5, 2: 0.5}, {1: 0.1}]
    live, replayed = (Rungs((1, 3), reduction_factor=3) for _ in range(2))
    for number, curve in enumerate(curves):
        for epoch, best in curve.items():
            live.should_stop(number, epoch=epoch, best=best)
    for number in order:
        replayed.replay(number, curves[number])
    assert live.recorded == replayed.recorded

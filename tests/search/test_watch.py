import pytest

from search.watch import BEFORE_FIRST_EPOCH_S, LONGEST_LOOK_S, SHORTEST_S, TIMES_LONGEST, Watch


class Clock:
    """A clock that is set by hand."""

    def __init__(self):
        self.now_s = 0.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


def pass_time(watch, clock, seconds, running):
    """Let time pass with a look a second; return each trial that hung, and when."""
    hung = {}
    for second in range(1, int(seconds) + 1):
        clock.now_s += 1
        for number in watch.hung(running):
            hung.setdefault(number, second)
    return hung


def test_a_trial_that_is_silent_for_longer_than_the_limit_hangs(clock):
    watch = Watch(30, clock=clock)
    assert pass_time(watch, clock, 30, [7]) == {}
    assert pass_time(watch, clock, 1, [7]) == {7: 1}


def test_an_epoch_begins_the_silence_anew(clock):
    watch = Watch(30, clock=clock)
    pass_time(watch, clock, 30, [7])
    watch.heard(7)
    assert pass_time(watch, clock, 30, [7]) == {}


def test_a_trial_that_was_stopped_for_hanging_begins_anew(clock):
    watch = Watch(30, clock=clock)
    assert pass_time(watch, clock, 31, [7]) == {7: 31}
    assert pass_time(watch, clock, 30, [7]) == {}


def test_a_trial_without_a_worker_is_not_silent(clock):
    watch = Watch(30, clock=clock)
    pass_time(watch, clock, 20, [7])
    pass_time(watch, clock, 100, [])
    assert pass_time(watch, clock, 30, [7]) == {}


def test_before_its_first_epoch_a_trial_has_an_hour(clock):
    watch = Watch(clock=clock)
    assert pass_time(watch, clock, BEFORE_FIRST_EPOCH_S + 1, [0]) == {0: BEFORE_FIRST_EPOCH_S + 1}


def test_after_a_quick_epoch_ten_minutes_are_hanging(clock):
    watch = Watch(clock=clock)
    pass_time(watch, clock, 5, [0])
    watch.heard(0)
    assert pass_time(watch, clock, SHORTEST_S + 1, [0]) == {0: SHORTEST_S + 1}


def test_the_longest_epoch_of_any_trial_sets_the_limit_of_all(clock):
    watch = Watch(clock=clock)
    pass_time(watch, clock, 300, [0, 1])
    watch.heard(0)
    pass_time(watch, clock, 50, [0, 1])
    watch.heard(1)
    assert watch.limit_s(0) == watch.limit_s(2) == TIMES_LONGEST * 350


def test_a_retried_trial_has_its_first_epoch_again(clock):
    watch = Watch(clock=clock)
    pass_time(watch, clock, 1, [0])
    watch.heard(0)
    pass_time(watch, clock, 1, [])
    assert watch.limit_s(0) == BEFORE_FIRST_EPOCH_S


def test_a_search_that_was_stopped_itself_blames_no_trial(clock):
    watch = Watch(2 * LONGEST_LOOK_S, clock=clock)
    clock.now_s += 86400
    assert watch.hung([0]) == []

import numpy as np
import pytest
from ray.tune.schedulers import MedianStoppingRule, TrialScheduler

from search.schedulers.median import FEWEST_OTHERS, Median


def median(*curves, grace_period=1):
    scheduler = Median(grace_period=grace_period)
    for number, values in enumerate(curves):
        scheduler.replay(number, dict(enumerate(values, start=1)))
    return scheduler


@pytest.mark.parametrize(("value", "stops"), [(0.34, True), (0.35, False)])
def test_the_best_so_far_is_compared_with_the_median_of_the_others_averages(value, stops):
    # Averages up to epoch 2 are 0.1, 0.35 and 0.7.
    scheduler = median((0.1, 0.1), (0.3, 0.4, 0.9), (0.6, 0.8))
    assert scheduler.should_stop(3, epoch=2, value=value) == stops


def test_only_trials_that_got_as_far_count_and_at_least_three_of_them():
    scheduler = median((0.9, 0.9), (0.9, 0.9), (0.9,))
    assert FEWEST_OTHERS == 3
    assert not scheduler.should_stop(3, epoch=2, value=0.0)
    assert scheduler.should_stop(4, epoch=1, value=0.0)


def test_an_early_high_value_protects_a_trial():
    scheduler = median((0.1, 0.1), (0.4, 0.4), (0.7, 0.7))
    scheduler.should_stop(3, epoch=1, value=0.5)
    assert not scheduler.should_stop(3, epoch=2, value=0.0)


def test_epochs_within_anothers_own_grace_do_not_pull_its_average_down():
    scheduler = Median(grace_period=1)
    for number in range(3):
        scheduler.replay(number, {1: 0.0, 2: 0.0, 3: 0.6}, grace=3)
    assert scheduler.should_stop(3, epoch=3, value=0.5)


class RayTrial:
    """Stands for a trial in Ray's rule, which looks it up by identity."""

    def __init__(self, number):
        self.trial_id = str(number)


@pytest.mark.parametrize("seed", range(4))
def test_every_decision_is_that_of_ray(seed):
    rng = np.random.default_rng(seed)
    values = rng.uniform(size=(30, 12)) + np.linspace(0, 0.5, 30)[:, None]
    ours = Median(grace_period=1)
    rays = MedianStoppingRule(
        time_attr="epoch",
        metric="value",
        mode="max",
        grace_period=1,
        min_samples_required=FEWEST_OTHERS,
        min_time_slice=10**9,
    )
    trials = [RayTrial(number) for number in range(30)]
    # Ray does not count the time slice of a trial that it has never let wait.
    rays._last_pause = dict.fromkeys(trials, 0)
    running = dict.fromkeys(range(30), 0)
    num_stopped = 0
    while running:
        number = int(rng.choice(list(running)))
        epoch = running[number] = running[number] + 1
        value = float(values[number, epoch - 1])
        told = rays.on_trial_result(None, trials[number], {"epoch": epoch, "value": value})
        stop = ours.should_stop(number, epoch=epoch, value=value)
        assert stop == (told == TrialScheduler.STOP)
        num_stopped += stop
        if stop or epoch == 12:
            del running[number]
    assert num_stopped > 5

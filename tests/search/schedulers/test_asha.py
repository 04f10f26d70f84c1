import numpy as np
import pytest
from ray.tune.schedulers import AsyncHyperBandScheduler, TrialScheduler

from analysis.rungs import rung_epochs
from search.schedulers.asha import Asha
from search.schedulers.hyperband import Hyperband


def asha(rungs, *curves, factor=3):
    """Return a scheduler that knows these curves, each the values from epoch 1 on."""
    scheduler = Asha(rungs, reduction_factor=factor)
    for number, values in enumerate(curves):
        scheduler.replay(number, dict(enumerate(values, start=1)))
    return scheduler


def test_the_first_trial_of_a_rung_passes():
    assert not asha((2,)).should_stop(0, epoch=2, value=-1.0)


@pytest.mark.parametrize(("value", "stops"), [(0.49, True), (0.5, False)])
def test_a_trial_below_the_best_third_is_stopped(value, stops):
    # The upper third of 0.1, 0.4, 0.7 begins at 0.5.
    scheduler = asha((2,), (0, 0.1), (0, 0.4), (0, 0.7))
    assert scheduler.should_stop(3, epoch=2, value=value) == stops


def test_a_trial_is_judged_by_its_best_epoch_so_far():
    scheduler = asha((2,), (0, 0.1), (0.4, 0.3), (0.7, 0))
    scheduler.should_stop(3, epoch=1, value=0.6)
    assert not scheduler.should_stop(3, epoch=2, value=0.2)


def test_between_rungs_nothing_stops():
    scheduler = asha((2, 6), [0.9] * 6, factor=2)
    assert not scheduler.should_stop(1, epoch=3, value=0.1)
    assert scheduler.should_stop(1, epoch=6, value=0.1)


def test_values_of_stopped_trials_count():
    scheduler = asha((1,), factor=2)
    assert not scheduler.should_stop(0, epoch=1, value=0.5)
    assert scheduler.should_stop(1, epoch=1, value=0.1)
    assert not scheduler.should_stop(2, epoch=1, value=0.31)


def test_what_a_trial_reached_after_a_rung_does_not_count_there():
    scheduler = asha((2,), (0.3, 0.3, 0.9), factor=2)
    assert not scheduler.should_stop(1, epoch=2, value=0.3)


def test_a_trial_whose_grace_ends_between_rungs_is_compared_once_when_it_ends():
    scheduler = asha((2, 6), (0, 0.5, 0.6, 0.6, 0.6, 0.7), factor=2)
    values = {2: 0.1, 3: 0.1, 4: 0.55, 5: 0.1, 6: 0.1}
    stops = [
        scheduler.should_stop(1, epoch=epoch, value=value, grace=4)
        for epoch, value in values.items()
    ]
    # At epoch 4 it has 0.55, more than the 0.5 of the rung at epoch 2; at epoch 6 less than 0.7.
    assert stops == [False, False, False, False, True]
    assert scheduler.should_stop(2, epoch=4, value=0.4, grace=4)


def test_a_grace_that_ends_before_the_first_rung_changes_nothing():
    scheduler = asha((4,), [0.5] * 4, factor=2)
    assert not scheduler.should_stop(1, epoch=2, value=0.1, grace=2)
    assert scheduler.should_stop(1, epoch=4, value=0.1, grace=2)


@pytest.mark.parametrize(
    ("grace_period", "factor", "max_epochs", "rungs"),
    [(2, 3, 9, (2, 6)), (1, 3, 9, (1, 3)), (3, 3, 30, (3, 9, 27)), (4, 2, 4, ())],
)
def test_rungs_grow_by_the_factor_and_end_before_the_last_epoch(
    grace_period, factor, max_epochs, rungs
):
    assert rungs == rung_epochs(
        max_epochs=max_epochs, grace_period=grace_period, reduction_factor=factor
    )


class RayTrial:
    """As much of Tune's trial as its scheduler looks at."""

    def __init__(self, number):
        self.trial_id = str(number)


@pytest.mark.parametrize("num_brackets", [1, 3])
@pytest.mark.parametrize("seed", range(4))
def test_every_decision_is_that_of_ray(num_brackets, seed):
    max_epochs = 28
    rungs = rung_epochs(max_epochs=max_epochs, grace_period=2, reduction_factor=3)
    ours = (
        Asha(rungs, reduction_factor=3)
        if num_brackets == 1
        else Hyperband(rungs, reduction_factor=3, seed=seed)
    )
    rays = AsyncHyperBandScheduler(
        metric="best",
        mode="max",
        max_t=max_epochs,
        grace_period=2,
        reduction_factor=3,
        brackets=num_brackets,
    )
    values = (
        np.random.default_rng(seed).uniform(size=(40, max_epochs))
        + np.linspace(0, 1, 40)[:, None] ** 2
    )
    running = {number: 0 for number in range(40) if ours.rungs_of(number)}
    for number in running:
        bracket = len(rungs) - len(ours.rungs_of(number))
        rays._trial_info[str(number)] = rays._brackets[bracket]
    rng = np.random.default_rng(seed)
    num_decisions = 0
    while running:
        number = int(rng.choice(list(running)))
        epoch = running[number] = running[number] + 1
        if epoch == max_epochs:
            del running[number]
            continue
        result = {"training_iteration": epoch, "best": values[number, :epoch].max()}
        told = rays.on_trial_result(None, RayTrial(number), result)
        stop = ours.should_stop(number, epoch=epoch, value=values[number, epoch - 1])
        assert stop == (told == TrialScheduler.STOP)
        num_decisions += stop
        if stop:
            del running[number]
    assert num_decisions > 10

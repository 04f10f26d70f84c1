"""What every scheduler must do, on curves of many trials that run at a time."""

from typing import get_args

import numpy as np
import pytest

from search.options import SchedulerName
from search.schedulers.make import make_scheduler

NAMES = get_args(SchedulerName)
STOPPING = [name for name in NAMES if name != "none"]
MAX_EPOCHS, GRACE = 27, 2
NUM_TRIALS = 60


def make(name, *, seed=0):
    return make_scheduler(
        name, max_epochs=MAX_EPOCHS, grace_period=GRACE, reduction_factor=3, seed=seed
    )


def curves(num_trials=NUM_TRIALS, *, seed=0):
    """Return noisy learning curves that cross, [num_trials, MAX_EPOCHS]."""
    rng = np.random.default_rng(seed)
    final, rate = rng.uniform(0, 1, num_trials), rng.uniform(0.05, 1, num_trials)
    epochs = np.arange(1, MAX_EPOCHS + 1)
    smooth = final[:, None] * (1 - np.exp(-rate[:, None] * epochs))
    return smooth + rng.normal(0, 0.02, smooth.shape)


def run(scheduler, curves, *, graces=(), num_workers=4, until=10**9):
    """Run trials on workers that take turns; return the epoch that each one ended at.

    Args:
        until: Number of epochs in all after which the search is cut off.
    """
    graces = dict(enumerate(graces))
    ended, running, waiting = {}, {}, list(range(len(curves)))
    while (waiting or running) and until:
        while waiting and len(running) < num_workers:
            running[waiting.pop(0)] = 0
        for number in list(running):
            epoch = running[number] = running[number] + 1
            value = float(curves[number, epoch - 1])
            grace = graces.get(number, 0)
            stop = scheduler.should_stop(number, epoch=epoch, value=value, grace=grace)
            if stop or epoch == curves.shape[1]:
                ended[number] = epoch
                del running[number]
            until -= 1
            if not until:
                break
    return ended


@pytest.mark.parametrize("name", NAMES)
def test_the_same_curves_end_at_the_same_epochs(name):
    assert run(make(name), curves()) == run(make(name), curves())


@pytest.mark.parametrize("name", STOPPING)
def test_many_poor_trials_are_stopped_and_not_all(name):
    ended = run(make(name), curves())
    num_stopped = sum(epoch < MAX_EPOCHS for epoch in ended.values())
    assert NUM_TRIALS / 4 < num_stopped < NUM_TRIALS


def test_without_a_scheduler_nothing_is_stopped():
    assert set(run(make("none"), curves()).values()) == {MAX_EPOCHS}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("cut_after", [1, 50, 333])
def test_replayed_curves_give_the_decisions_of_a_search_that_was_not_interrupted(name, cut_after):
    straight, cut, again = (make(name) for _ in range(3))
    run(straight, curves())
    run(cut, curves(), until=cut_after)
    for number in reversed(cut.curves):
        again.replay(number, cut.curves[number])
    for number, value in enumerate(curves(2 * MAX_EPOCHS, seed=1)[:, 0]):
        decisions = [
            scheduler.should_stop(1000 + number, epoch=1 + number // 2, value=float(value))
            for scheduler in (cut, again)
        ]
        assert decisions[0] == decisions[1]


@pytest.mark.parametrize("name", NAMES)
def test_no_trial_is_stopped_before_the_grace_period(name):
    assert min(run(make(name), curves()).values()) >= GRACE


@pytest.mark.parametrize("name", NAMES)
def test_no_trial_is_stopped_before_its_own_grace(name):
    graces = np.random.default_rng(0).integers(0, MAX_EPOCHS, NUM_TRIALS).tolist()
    ended = run(make(name), curves(), graces=graces)
    assert all(ended[number] >= grace for number, grace in enumerate(graces))
    if name != "none":
        late = [e for number, e in ended.items() if graces[number] > GRACE and e < MAX_EPOCHS]
        assert late, "some are stopped once their grace is over"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", range(5))
def test_the_best_trial_is_never_stopped(name, seed):
    values = curves(seed=seed)
    best = 17
    values[best] = values.max(axis=0) + 0.01
    assert run(make(name), values)[best] == MAX_EPOCHS


@pytest.mark.parametrize("name", STOPPING)
def test_a_trial_in_its_own_grace_is_no_yardstick_for_others(name):
    alone, beside = make(name), make(name)
    for scheduler in (alone, beside):
        for number in range(9):
            scheduler.replay(number, dict.fromkeys(range(1, 10), 0.1 * number))
    for number in range(100, 130):
        beside.replay(number, dict.fromkeys(range(1, 10), 0.0), grace=20)
    for number, value in enumerate(np.linspace(0, 1, 21)):
        stops = [
            scheduler.should_stop(200 + number, epoch=6, value=value)
            for scheduler in (alone, beside)
        ]
        assert stops[0] == stops[1]

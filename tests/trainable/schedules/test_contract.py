"""What every schedule of the family keeps to."""

import io

import pytest
import torch

from trainable.part import members
from trainable.schedules import Schedule
from trainable.schedules.constant import Constant, Warmup
from trainable.schedules.cosine import Cosine
from trainable.schedules.decay import Exponential, Step
from trainable.schedules.plateau import Plateau

# Beside the defaults: warm-ups and restarts.
SCHEDULES = [
    *(part() for part in members(Schedule)),
    Exponential(warmup=0.2),
    Cosine(warmup=0.1, num_cycles=3, cycle_growth=1.2, cycle_decay=0.5),
    Plateau(warmup=0.2, patience=0.05),
]

every_schedule = pytest.mark.parametrize("part", SCHEDULES, ids=str)


def trace(schedule, epochs, *, peak=10):
    """Factors step by step, with values that stop rising after an epoch."""
    factors = []
    for epoch in epochs:
        factors += [schedule.factor(epoch + step / 4) for step in range(4)]
        schedule.end_epoch(float(min(epoch, peak)))
    return factors


@every_schedule
@pytest.mark.parametrize("num_epochs", [1, 2, 7, 40])
def test_factors_are_shares(part, num_epochs):
    factors = trace(part.build(num_epochs), range(num_epochs))
    assert all(0 <= factor <= 1 for factor in factors)
    assert max(factors) > 0


@every_schedule
def test_asking_twice_gives_the_same(part):
    schedule = part.build(10)
    assert [schedule.factor(e / 3) for e in range(30)] == [
        schedule.factor(e / 3) for e in range(30)
    ]


@every_schedule
def test_going_on_after_a_checkpoint_is_as_never_interrupted(part):
    straight = trace(part.build(20), range(20))
    interrupted, resumed = part.build(20), part.build(20)
    before = trace(interrupted, range(13))
    resumed.load_state_dict(through_a_file(interrupted.state_dict()))
    assert before + trace(resumed, range(13, 20)) == straight


def through_a_file(state):
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


@pytest.mark.parametrize("part", [p for p in SCHEDULES if p.name != "plateau"], ids=str)
def test_a_schedule_stretches_with_the_trial(part):
    short, long = part.build(10), part.build(40)
    shares = [step / 97 for step in range(97)]
    assert [short.factor(10 * s) for s in shares] == pytest.approx(
        [long.factor(40 * s) for s in shares], abs=1e-12
    )


@every_schedule
def test_after_the_last_epoch_the_factor_stays(part):
    schedule = part.build(10)
    assert schedule.factor(11.5) == schedule.factor(10)


@every_schedule
def test_a_described_part_survives_its_own_dump(part):
    assert type(part)(**part.model_dump()) == part
    assert part.description().endswith((".", ":"))


def test_none_is_one_everywhere():
    assert set(trace(Constant().build(5), range(5))) == {1.0}


def test_only_a_warm_up_starts_low():
    assert Warmup().build(10).factor(0) == 0.01
    assert Step().build(10).factor(0) == 1.0

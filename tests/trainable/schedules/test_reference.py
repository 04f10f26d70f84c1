"""The schedules against timm, torch, and values worked out by hand."""

import pytest
import torch
from pydantic import ValidationError
from torch.optim.lr_scheduler import (
    CosineAnnealingLR,
    ExponentialLR,
    LinearLR,
    ReduceLROnPlateau,
    StepLR,
)

from trainable.schedules.base import WARMUP_START
from trainable.schedules.constant import Warmup
from trainable.schedules.cosine import Cosine, cosine_factor, cycle_at
from trainable.schedules.decay import Exponential, Step
from trainable.schedules.plateau import Plateau
from trainable.timm_import import import_torchvision

import_torchvision()

from timm.scheduler import CosineLRScheduler  # noqa: E402

LR = 0.3


def optimizer():
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=LR)


def rate(optimizer):
    return optimizer.param_groups[0]["lr"]


def torchs_trace(scheduler, num_epochs):
    rates = []
    for _ in range(num_epochs):
        rates.append(rate(scheduler.optimizer))
        scheduler.optimizer.step()
        scheduler.step()
    return rates


def trace(part, num_epochs):
    schedule = part.build(num_epochs)
    return [LR * schedule.factor(epoch) for epoch in range(num_epochs)]


@pytest.mark.parametrize(("num_cycles", "growth", "decay"), [(1, 1.0, 1.0), (4, 1.2, 0.5)])
def test_cosine_is_timms(num_cycles, growth, decay):
    num_epochs, steps, warmup, floor = 30, 11, 0.1, 0.02
    part = Cosine(
        warmup=warmup, floor=floor, num_cycles=num_cycles, cycle_growth=growth, cycle_decay=decay
    )
    num_warmup = round(warmup * num_epochs * steps)
    lengths = sum(growth**i for i in range(num_cycles))
    theirs = optimizer()
    scheduler = CosineLRScheduler(
        theirs,
        t_initial=(num_epochs * steps - num_warmup) / lengths,
        lr_min=floor * LR,
        cycle_mul=growth,
        cycle_decay=decay,
        cycle_limit=num_cycles,
        warmup_t=num_warmup,
        warmup_lr_init=WARMUP_START * LR,
        warmup_prefix=True,
        t_in_epochs=False,
    )
    schedule = part.build(num_epochs)
    for step in range(num_epochs * steps):
        scheduler.step_update(step)
        assert LR * schedule.factor(step / steps) == pytest.approx(rate(theirs), rel=1e-6), step


def test_cosine_is_torchs():
    scheduler = CosineAnnealingLR(optimizer(), T_max=17, eta_min=0.1 * LR)
    assert trace(Cosine(floor=0.1), 17) == pytest.approx(torchs_trace(scheduler, 17))


def test_cosine_by_hand():
    def factor(progress):
        return cosine_factor(progress, warmup=0.1, floor=0.2, num_cycles=2, growth=2.0, decay=0.5)

    # After the warm-up 0.9 are left: a cycle of 0.3 from 1, a cycle of 0.6 from 0.5.
    assert factor(0.05) == pytest.approx(0.01 + 0.99 / 2)
    assert factor(0.1) == 1.0
    assert factor(0.25) == pytest.approx(0.2 + 0.8 / 2)
    assert factor(0.4 - 1e-6) == pytest.approx(0.2, abs=1e-6)
    assert factor(0.4 + 1e-6) == pytest.approx(0.5, abs=1e-6)
    assert factor(0.7) == pytest.approx(0.2 + 0.3 / 2)
    assert factor(1.0) == pytest.approx(0.2)


def test_cycles_change_at_whole_epochs_where_the_lengths_are_whole():
    starts = [cycle_at(epoch / 30, num_cycles=3, growth=1.0) for epoch in range(31)]
    assert [cycle for cycle, _ in starts] == [*[0] * 10, *[1] * 10, *[2] * 11]
    assert starts[20] == (2, pytest.approx(0.0, abs=1e-9))


def test_step_is_torchs():
    scheduler = StepLR(optimizer(), step_size=3, gamma=0.5)
    assert trace(Step(share=0.1, factor=0.5), 30) == pytest.approx(torchs_trace(scheduler, 30))


@pytest.mark.parametrize("num_epochs", [10, 30, 70, 90, 300])
def test_steps_fall_in_whole_epochs_however_shares_are_rounded(num_epochs):
    schedule = Step(share=0.1, factor=0.5).build(num_epochs)
    falls = [
        epoch
        for epoch in range(1, num_epochs)
        if schedule.factor(epoch) < schedule.factor(epoch - 1)
    ]
    assert falls == [num_epochs // 10 * k for k in range(1, 10)]


def test_exponential_is_torchs():
    scheduler = ExponentialLR(optimizer(), gamma=0.95)
    part = Exponential(final=0.95**40)
    assert trace(part, 40) == pytest.approx(torchs_trace(scheduler, 40))


def test_warm_up_is_torchs():
    scheduler = LinearLR(optimizer(), start_factor=WARMUP_START, total_iters=6)
    assert trace(Warmup(share=0.2), 30) == pytest.approx(torchs_trace(scheduler, 30))


def test_warm_up_by_hand():
    schedule = Warmup(share=0.2).build(10)
    assert [schedule.factor(epoch) for epoch in (0, 1, 2, 9)] == pytest.approx(
        [0.01, 0.505, 1.0, 1.0]
    )


def test_plateau_is_torchs():
    values = [0.1, 0.3, 0.2, 0.3, 0.1, 0.4, 0.3, 0.3, 0.3, 0.2, 0.1, 0.0, 0.5, 0.5]
    theirs = optimizer()
    # torch waits for one epoch more than its patience.
    scheduler = ReduceLROnPlateau(
        theirs, mode="max", factor=0.5, patience=2, threshold=0, min_lr=0.2 * LR
    )
    schedule = Plateau(patience=3 / len(values), factor=0.5, floor=0.2).build(len(values))
    for epoch, value in enumerate(values):
        assert LR * schedule.factor(epoch) == pytest.approx(rate(theirs)), epoch
        scheduler.step(value)
        schedule.end_epoch(value)
    assert schedule.factor(len(values)) == 0.2


def test_a_plateau_without_values_is_refused():
    with pytest.raises(ValueError, match="a plateau needs a validation value every epoch"):
        Plateau().build(10).end_epoch(None)


def test_a_growth_of_cycles_without_a_second_cycle_is_refused():
    with pytest.raises(ValidationError, match="1 while num_cycles is 1"):
        Cosine(cycle_growth=2.0)


def test_a_last_cycle_that_starts_below_the_floor_is_refused():
    with pytest.raises(ValidationError, match=r"whose power 3 is above the floor 0\.2"):
        Cosine(floor=0.2, num_cycles=4, cycle_decay=0.5)

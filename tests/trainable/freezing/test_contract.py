"""What every way of freezing keeps to."""

import io

import pytest
import torch

from trainable.errors import ConfigError
from trainable.freezing import Freeze
from trainable.freezing.fixed import FreezeAll, FreezeFront, FreezeNone
from trainable.freezing.melt import Melt
from trainable.part import members

# Beside the defaults: thawing on a plateau, with a warm-up, and the edges.
PLANS = [
    *(part() for part in members(Freeze)),
    Melt(after="plateau", share=0.2, warmup=0.3),
    Melt(share=0.99),
    FreezeFront(share=0.01),
]

every_plan = pytest.mark.parametrize("part", PLANS, ids=str)


def trace(plan, epochs, *, num_groups=11, peak=4):
    """What is trained, epoch by epoch, with values that stop rising after an epoch."""
    seen = []
    for epoch in epochs:
        factors = [plan.backbone_factor(epoch + step / 4) for step in range(4)]
        seen.append((plan.first_trainable(epoch, num_groups), factors))
        plan.end_epoch(float(min(epoch, peak)))
    return seen


def firsts(part, num_epochs, **options):
    return [first for first, _ in trace(part.build(num_epochs), range(num_epochs), **options)]


@every_plan
@pytest.mark.parametrize("num_epochs", [1, 2, 30])
def test_the_head_is_always_trained(part, num_epochs):
    assert all(0 <= first <= 10 for first in firsts(part, num_epochs))


@every_plan
def test_what_is_trained_once_is_trained_from_then_on(part):
    seen = firsts(part, 30)
    assert seen == sorted(seen, reverse=True)


@every_plan
def test_factors_are_shares(part):
    seen = trace(part.build(30), range(30))
    assert all(0 < factor <= 1 for _, factors in seen for factor in factors)
    assert seen[-1][1] == [1.0] * 4


@every_plan
def test_going_on_after_a_checkpoint_is_as_never_interrupted(part):
    straight = trace(part.build(20), range(20))
    interrupted, resumed = part.build(20), part.build(20)
    before = trace(interrupted, range(6))
    file = io.BytesIO()
    torch.save(interrupted.state_dict(), file)
    file.seek(0)
    resumed.load_state_dict(torch.load(file, weights_only=True))
    assert before + trace(resumed, range(6, 20)) == straight


@every_plan
def test_a_described_part_survives_its_own_dump(part):
    assert type(part)(**part.model_dump()) == part
    assert part.description().endswith(".")


def test_nothing_or_the_whole_backbone_or_its_front_is_frozen():
    assert set(firsts(FreezeNone(), 3)) == {0}
    assert set(firsts(FreezeAll(), 3)) == {10}
    assert set(firsts(FreezeFront(share=0.3), 3)) == {3}


def test_the_front_is_at_least_one_group():
    assert set(firsts(FreezeFront(share=0.01), 3)) == {1}


def test_melting_trains_the_head_alone_for_a_share_of_the_epochs():
    assert firsts(Melt(share=0.25), 8) == [10, 10, 0, 0, 0, 0, 0, 0]
    assert firsts(Melt(share=0.25), 20) == [10] * 5 + [0] * 15


def test_melting_leaves_an_epoch_for_everything():
    assert firsts(Melt(share=0.99), 3) == [10, 10, 0]


def test_melting_on_a_plateau_waits_for_a_share_of_the_epochs_without_a_new_best():
    # Best in epoch 4, then two of ten epochs without a better one: 5 and 6.
    assert firsts(Melt(after="plateau", share=0.2), 10) == [10] * 7 + [0] * 3


def test_what_has_thawed_warms_up():
    plan = Melt(share=0.5, warmup=0.2).build(10)
    assert [plan.backbone_factor(epoch) for epoch in (4, 5, 6, 7, 9)] == pytest.approx(
        [1.0, 0.01, 0.505, 1.0, 1.0]
    )


def test_a_plateau_without_values_is_refused():
    with pytest.raises(ValueError, match="a plateau needs a validation value every epoch"):
        Melt(after="plateau").build(10).end_epoch(None)


def test_a_front_of_a_backbone_without_known_layers_is_refused():
    with pytest.raises(ConfigError, match="freeze/name: expected none, all or melt with this"):
        FreezeFront().build(10).first_trainable(0, 2)

"""What a trial does step by step: the rates used, the layers trained, the weights averaged."""

import math
from dataclasses import dataclass

import pytest
import torch
from torch import nn
from torch.optim.lr_scheduler import ReduceLROnPlateau

from trainable.trial import Trial

LR = 0.02
NUM_EPOCHS = 6


@dataclass
class Step:
    """What an optimizer was about to do.

    Args:
        rate: Learning rate of the head.
        backbone_rate: Learning rate of the backbone's layers.
        layers: Layers that had a gradient in all their parameters.
        norm: Norm of all gradients.
    """

    rate: float
    backbone_rate: float
    layers: list[int]
    norm: float


def watch(trial):
    """Return the list to which every step of a trial is added before it is taken."""
    steps = []

    def note(optimizer, *_):
        rates = {group["is_head"]: group["lr"] for group in optimizer.param_groups}
        gradients = [p.grad for p in trial._model.parameters() if p.grad is not None]
        layers = [
            number
            for number, layer in enumerate(trial._groups)
            if all(p.grad is not None for _, p in layer)
        ]
        norm = float(torch.stack([g.norm() for g in gradients]).norm())
        steps.append(Step(rates[True], rates[False], layers, norm))

    trial._loop.optimizer.register_step_pre_hook(note)
    return steps


def trained(config, data, folder, *, num_epochs=NUM_EPOCHS):
    """Train some epochs, and return their metrics and steps."""
    trial = Trial(config, data, folder)
    steps = watch(trial)
    rows = [trial.run_epoch() for _ in range(num_epochs)]
    trial.close()
    return rows, steps


def warmed_up(done, share):
    return min(1.0, 0.01 + 0.99 * done / share)


def cosine_after_warm_up(done):
    """A sixth of warm-up, then two cycles of which the second is half as high, floor 0.1."""
    if done < 1 / 6:
        return warmed_up(done, 1 / 6)
    cycle, place = divmod((done - 1 / 6) / (5 / 6) * 2, 1)
    return 0.1 + (0.5**cycle - 0.1) * (1 + math.cos(math.pi * place)) / 2


# Changes of the configuration, and the factor by the share of the trial that is done.
TRACES = {
    "none": ({}, lambda done: 1.0),
    "warmup": ({"share": 0.5}, lambda done: warmed_up(done, 0.5)),
    "step": ({"share": 0.25, "factor": 0.5}, lambda done: 0.5 ** math.floor(done * 4)),
    "exponential": ({"final": 0.01}, lambda done: 0.01**done),
    "cosine": (
        {"warmup": 1 / 6, "floor": 0.1, "num_cycles": 2, "cycle_decay": 0.5},
        cosine_after_warm_up,
    ),
}


@pytest.mark.parametrize("name", TRACES)
def test_every_step_is_taken_at_the_rate_of_its_middle(coloured, config, tmp_path, name):
    fields, factor = TRACES[name]
    schedule = {"schedule__name": name} | {f"schedule__{n}": v for n, v in fields.items()}
    rows, steps = trained(
        config(**schedule, optimizer__lr=LR, epochs=NUM_EPOCHS), coloured, tmp_path
    )
    expected = [LR * factor((number + 0.5) / len(steps)) for number in range(len(steps))]
    assert [step.rate for step in steps] == pytest.approx(expected)
    assert [step.backbone_rate for step in steps] == pytest.approx(expected)
    in_epoch = len(steps) // NUM_EPOCHS
    assert [row["lr"] for row in rows] == pytest.approx(expected[in_epoch - 1 :: in_epoch])


def test_a_plateau_lowers_the_rate_as_torchs_does_by_what_was_recorded(coloured, config, tmp_path):
    plateau = {"schedule__patience": 1 / 3, "schedule__factor": 0.5, "schedule__floor": 0.0}
    rows, steps = trained(
        config(schedule__name="plateau", **plateau, optimizer__lr=1e-9, epochs=NUM_EPOCHS),
        coloured,
        tmp_path,
    )
    theirs = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1e-9)
    # torch waits for one epoch more than its patience.
    scheduler = ReduceLROnPlateau(theirs, "max", factor=0.5, patience=1, threshold=0, eps=0)
    in_epoch = len(steps) // NUM_EPOCHS
    for epoch, row in enumerate(rows):
        rates = [step.rate for step in steps[epoch * in_epoch : (epoch + 1) * in_epoch]]
        assert rates == pytest.approx([theirs.param_groups[0]["lr"]] * in_epoch), epoch
        scheduler.step(row["val/f1"])
    assert steps[-1].rate < steps[0].rate


@pytest.mark.parametrize("name", ["warmup", "step", "exponential", "cosine", "plateau"])
def test_an_interrupted_trial_takes_its_steps_at_the_same_rates(coloured, config, tmp_path, name):
    changed = config(schedule__name=name, optimizer__lr=LR, epochs=3)
    _, straight = trained(changed, coloured, tmp_path / "straight", num_epochs=3)
    _, before = trained(changed, coloured, tmp_path / "cut", num_epochs=2)
    _, after = trained(changed, coloured, tmp_path / "cut", num_epochs=1)
    assert [step.rate for step in before + after] == [step.rate for step in straight]


def test_layers_have_rates_that_fall_towards_the_input(coloured, config, tmp_path):
    trial = Trial(config(optimizer__lr=LR, optimizer__layer_decay=0.5), coloured, tmp_path)
    rates = {id(p): g["lr"] for g in trial._loop.optimizer.param_groups for p in g["params"]}
    from_the_head = list(reversed(trial._groups))
    assert len(from_the_head) > 3
    for number, layer in enumerate(from_the_head):
        expected = [LR * 0.5**number] * len(layer)
        assert [rates[id(p)] for _, p in layer] == pytest.approx(expected)


def test_gradients_are_clipped_to_the_norm_that_was_asked_for(coloured, config, tmp_path):
    _, free = trained(config(), coloured, tmp_path / "free", num_epochs=1)
    limit = sorted(step.norm for step in free)[1]
    _, clipped = trained(config(gradient_clip=limit), coloured, tmp_path / "cut", num_epochs=1)
    assert max(step.norm for step in free) > 1.01 * limit
    assert max(step.norm for step in clipped) == pytest.approx(limit, rel=1e-4)


@dataclass
class Epoch:
    """What was trained in an epoch.

    Args:
        needing: Layers whose parameters need gradients.
        moved: Layers that had gradients, in each step.
        remembered: Layers of which the optimizer knows something afterwards.
        share_of_norms: Share of the batch norms that took statistics.
    """

    needing: list[int]
    moved: list[list[int]]
    remembered: list[int]
    share_of_norms: float


def epochs_of(trial, steps):
    """Train all epochs of a trial, whose values stop rising after the first."""
    for _ in range(trial.config.epochs):
        steps.clear()
        trial._train()
        trial.progress.epoch += 1
        trial._loop.freeze.end_epoch(0.5)
        first = [layer[0][1] for layer in trial._groups]
        norms = [m for m in trial._model.modules() if isinstance(m, nn.BatchNorm2d)]
        yield Epoch(
            [n for n, g in enumerate(trial._groups) if all(p.requires_grad for _, p in g)],
            [step.layers for step in steps],
            [n for n, p in enumerate(first) if p in trial._loop.optimizer.state],
            sum(norm.training for norm in norms) / len(norms),
        )


@pytest.mark.parametrize(
    ("freeze", "firsts"),
    [
        ({"name": "none"}, [0] * 4),
        ({"name": "all"}, [-1] * 4),
        ({"name": "front", "share": 0.5}, [0.5] * 4),
        ({"name": "melt", "share": 0.5}, [-1, -1, 0, 0]),
        # The first value is the best, then half of the epochs pass without a better one.
        ({"name": "melt", "after": "plateau", "share": 0.5}, [-1, -1, -1, 0]),
    ],
    ids=str,
)
def test_the_layers_of_each_epoch_are_trained_and_no_others(
    coloured, config, tmp_path, freeze, firsts
):
    changes = {f"freeze__{name}": value for name, value in freeze.items()}
    trial = Trial(config(**changes), coloured, tmp_path)
    last = len(trial._groups) - 1
    numbers = {0: 0, -1: last, 0.5: round(0.5 * last)}
    for first, epoch in zip(firsts, epochs_of(trial, watch(trial)), strict=True):
        expected = list(range(numbers[first], last + 1))
        assert epoch.needing == expected
        assert epoch.moved == [expected] * len(epoch.moved)
        assert epoch.remembered == expected
        assert (epoch.share_of_norms == 1.0) == (first == 0)
        assert (epoch.share_of_norms == 0.0) == (first == -1)


def test_what_has_thawed_on_a_plateau_warms_up_and_the_head_goes_on(coloured, config, tmp_path):
    melt = {"freeze__after": "plateau", "freeze__share": 1 / 3, "freeze__warmup": 1 / 3}
    trial = Trial(
        config(freeze__name="melt", **melt, optimizer__lr=LR, epochs=NUM_EPOCHS),
        coloured,
        tmp_path,
    )
    steps = watch(trial)
    for _ in range(NUM_EPOCHS):
        trial._train()
        trial.progress.epoch += 1
        trial._loop.freeze.end_epoch(0.5)
    in_epoch = len(steps) // NUM_EPOCHS
    thawed = 3 * in_epoch  # best in epoch 1, then two without a better one
    factors = [
        min(1.0, 0.01 + 0.99 * (number + 0.5) / in_epoch / 2)
        for number in range(len(steps) - thawed)
    ]
    assert [s.backbone_rate for s in steps[thawed:]] == pytest.approx([LR * f for f in factors])
    assert {s.rate for s in steps} == {LR}
    assert all(len(s.layers) == 1 for s in steps[:thawed])
    assert all(len(s.layers) == len(trial._groups) for s in steps[thawed:])


def test_the_average_of_weights_is_that_of_every_step_by_hand(coloured, config, tmp_path):
    trial = Trial(config(ema=0.7), coloured, tmp_path)
    snapshots = []
    trial._loop.optimizer.register_step_post_hook(
        lambda *_: snapshots.append({n: v.clone() for n, v in trial._model.state_dict().items()})
    )
    trial.run_epoch()
    trial.run_epoch()
    average = dict(snapshots[0])
    for number, snapshot in enumerate(snapshots[1:], start=2):
        decay = min(0.7, 1 - number ** (-2 / 3))
        for name, value in snapshot.items():
            if value.is_floating_point():
                average[name] = decay * average[name] + (1 - decay) * value
    averaged = trial._ema.module.state_dict()
    floats = [name for name, value in averaged.items() if value.is_floating_point()]
    assert any("running_var" in name for name in floats)
    for name in floats:
        torch.testing.assert_close(averaged[name], average[name], rtol=1e-4, atol=1e-5)
    now = trial._model.state_dict()
    assert not torch.allclose(averaged[floats[-1]], now[floats[-1]])
    assert all(torch.equal(now[name], averaged[name]) for name in ("mean", "std"))

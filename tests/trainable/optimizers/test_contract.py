"""What every optimizer of the family keeps to."""

import io

import pytest
import torch
from pydantic import ValidationError
from torch import nn

from trainable.backbones import Backbone, layer_groups
from trainable.optimizers import Optimizer
from trainable.optimizers.adamp import AdamP
from trainable.optimizers.sgd import Sgd
from trainable.part import members

SIZE = (32, 24)
# Beside the defaults: Nesterov, and a rate and a decay by layer.
OPTIMIZERS = [
    *(part() for part in members(Optimizer)),
    Sgd(nesterov=True),
    AdamP(nesterov=True),
    *(part(weight_decay=0.1, layer_decay=0.7) for part in members(Optimizer)),
]

every_optimizer = pytest.mark.parametrize("part", OPTIMIZERS, ids=str)


class Network(nn.Module):
    """A real small backbone in channels-last order, and a head."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(1)
        self.backbone = Backbone(name="test_efficientnet").build(SIZE, load_pretrained=False)
        self.head = nn.Linear(256, 3)
        self.to(memory_format=torch.channels_last)

    def groups(self):
        return [*layer_groups(self.backbone), list(self.head.named_parameters())]

    def forward(self, images):
        return self.head(self.backbone(images))


def train(network, optimizer, steps):
    """Take some steps whose images depend on the step alone."""
    network.train()
    for step in steps:
        generator = torch.Generator().manual_seed(step)
        images = torch.randn(4, 3, *SIZE, generator=generator)
        loss = nn.functional.cross_entropy(network(images), torch.tensor([0, 1, 2, step % 3]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def states_equal(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


def through_a_file(state):
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


@every_optimizer
def test_going_on_after_a_checkpoint_is_bit_for_bit_as_never_interrupted(part):
    straight, interrupted, resumed = Network(), Network(), Network()
    train(straight, part.build(straight.groups()), range(4))
    optimizer = part.build(interrupted.groups())
    train(interrupted, optimizer, range(2))
    resumed.load_state_dict(interrupted.state_dict())
    restored = part.build(resumed.groups())
    restored.load_state_dict(through_a_file(optimizer.state_dict()))
    train(resumed, restored, range(2, 4))
    assert states_equal(straight.state_dict(), resumed.state_dict())
    assert not states_equal(straight.state_dict(), interrupted.state_dict())


@every_optimizer
def test_every_parameter_is_in_one_group_and_moves(part):
    network = Network()
    before = {name: p.detach().clone() for name, p in network.named_parameters()}
    optimizer = part.build(network.groups())
    grouped = [id(p) for group in optimizer.param_groups for p in group["params"]]
    assert sorted(grouped) == sorted(id(p) for p in network.parameters())
    train(network, optimizer, range(1))
    still = [n for n, p in network.named_parameters() if torch.equal(p, before[n])]
    assert still == []


@every_optimizer
def test_frozen_parameters_stay_and_can_thaw_later(part):
    network = Network()
    network.backbone.requires_grad_(False)
    optimizer = part.build(network.groups())
    before = network.backbone.conv_stem.weight.detach().clone()
    train(network, optimizer, range(1))
    assert torch.equal(network.backbone.conv_stem.weight, before)
    network.backbone.requires_grad_(True)
    train(network, optimizer, range(1, 2))
    assert not torch.equal(network.backbone.conv_stem.weight, before)


@every_optimizer
def test_groups_keep_the_rate_that_a_schedule_multiplies(part):
    optimizer = part.build(Network().groups())
    assert all(group["initial_lr"] == group["lr"] for group in optimizer.param_groups)
    assert {group["lr"] for group in optimizer.param_groups if group["is_head"]} == {part.lr}


@every_optimizer
def test_it_builds_without_memory_for_the_weights(part):
    with torch.device("meta"):
        layers = nn.ModuleList([nn.Linear(2, 2) for _ in range(3)])
    part.build([list(layer.named_parameters()) for layer in layers])


@pytest.mark.parametrize("part", members(Optimizer))
@pytest.mark.parametrize(
    ("field", "value"),
    [("lr", 0.0), ("lr", float("nan")), ("weight_decay", -0.1), ("layer_decay", 0.0)],
)
def test_values_out_of_range_are_refused(part, field, value):
    with pytest.raises(ValidationError, match=rf"(?s){field}.*(greater|finite)"):
        part(**{field: value})


def test_nesterov_without_momentum_is_refused():
    with pytest.raises(ValidationError, match="false while momentum is 0"):
        Sgd(momentum=0.0, nesterov=True)

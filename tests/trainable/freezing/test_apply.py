"""What freezing does to real small backbones."""

import pytest
import torch
from torch import nn

from trainable.backbones import Backbone, layer_groups, num_features
from trainable.freezing.apply import apply_freeze, frozen_modules
from trainable.freezing.fixed import FreezeFront
from trainable.freezing.melt import Melt
from trainable.optimizers.adam import AdamW

SIZE = (64, 48)
BACKBONES = ["test_efficientnet", "test_vit", "test_convnext"]

every_backbone = pytest.mark.parametrize("name", BACKBONES)


class Network(nn.Module):
    """A backbone and a head."""

    def __init__(self, name):
        super().__init__()
        torch.manual_seed(1)
        self.backbone = Backbone(name=name).build(SIZE, load_pretrained=False)
        self.head = nn.Linear(num_features(self.backbone), 3)
        self.groups = [
            *layer_groups(self.backbone),
            [(f"head.{name}", p) for name, p in self.head.named_parameters()],
        ]

    def forward(self, images):
        return self.head(self.backbone(images))


def images():
    return torch.rand(4, 3, *SIZE, generator=torch.Generator().manual_seed(1))


def step(network, optimizer):
    nn.functional.cross_entropy(network(images()), torch.tensor([0, 1, 2, 1])).backward()
    optimizer.step()
    optimizer.zero_grad()


def moved_groups(network, first_trainable, optimizer=None):
    """Return the numbers of the groups that a step moves."""
    optimizer = optimizer or AdamW(lr=0.01).build(network.groups)
    apply_freeze(network, network.groups, first_trainable)
    before = [[p.detach().clone() for _, p in group] for group in network.groups]
    step(network, optimizer)
    moved = zip(network.groups, before, strict=True)
    return [
        number
        for number, (group, old) in enumerate(moved)
        if any(not torch.equal(p, q) for (_, p), q in zip(group, old, strict=True))
    ]


def first_of_front(network, share=0.5):
    return FreezeFront(share=share).build(10).first_trainable(0, len(network.groups))


@every_backbone
def test_only_the_groups_behind_the_frozen_ones_move(name):
    network = Network(name)
    num_groups = len(network.groups)
    for first in (0, 1, num_groups // 2, num_groups - 1):
        assert moved_groups(network, first) == list(range(first, num_groups))


@every_backbone
def test_melting_moves_the_head_first_and_then_everything(name):
    network = Network(name)
    num_groups = len(network.groups)
    optimizer = AdamW(lr=0.01).build(network.groups)
    plan = Melt(share=0.5).build(4)
    moved = []
    for epoch in range(4):
        first = plan.first_trainable(epoch, num_groups)
        moved.append(moved_groups(network, first, optimizer))
        plan.end_epoch(0.5)
    assert moved == [[num_groups - 1]] * 2 + [list(range(num_groups))] * 2


def test_running_statistics_of_frozen_batch_norms_stay():
    network = Network("test_efficientnet")
    first = first_of_front(network)
    frozen = {name for group in network.groups[:first] for name, _ in group}
    before = {name: value.clone() for name, value in network.backbone.state_dict().items()}
    moved_groups(network, first)
    for name, value in network.backbone.state_dict().items():
        module, _, kind = name.rpartition(".")
        if kind in ("running_mean", "running_var"):
            assert torch.equal(value, before[name]) == (f"{module}.weight" in frozen), name


@every_backbone
def test_the_backward_pass_ends_where_the_trained_layers_begin(name):
    network = Network(name)
    first = first_of_front(network)
    apply_freeze(network, network.groups, first)
    needs_gradient = {}
    for path, module in network.backbone.named_modules():
        if list(module.parameters(recurse=False)):
            module.register_forward_hook(
                lambda _, __, output, path=path: needs_gradient.update(
                    {path: output.requires_grad}
                )
            )
    network(images())
    frozen = {name.rpartition(".")[0] for group in network.groups[:first] for name, _ in group}
    seen_frozen = frozen & set(needs_gradient) - {""}
    assert len(seen_frozen) > 2
    assert not any(needs_gradient[path] for path in seen_frozen)
    assert any(needs_gradient.values())


@every_backbone
def test_a_frozen_backbone_builds_no_graph_at_all(name):
    network = Network(name)
    apply_freeze(network, network.groups, len(network.groups) - 1)
    assert not network.backbone(images()).requires_grad
    assert network(images()).requires_grad


def saved_for_backward(network):
    """Return what a forward pass keeps for the backward pass."""
    saved = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: saved.append(t) or t, lambda t: t):
        network(images())
    return saved


@every_backbone
def test_frozen_layers_keep_nothing_for_the_backward_pass(name):
    network = Network(name)
    last = len(network.groups) - 1
    kept = []
    for first in (0, last // 2, last):
        apply_freeze(network, network.groups, first)
        saved = saved_for_backward(network)
        frozen = {p.data_ptr() for group in network.groups[:first] for _, p in group}
        assert frozen.isdisjoint(tensor.data_ptr() for tensor in saved)
        kept.append(sum(tensor.numel() for tensor in saved))
    assert kept[0] > kept[1] > kept[2]
    width = num_features(network.backbone)
    assert kept[2] <= 4 * width + 3 * width  # the head's input and its weights


def test_a_frozen_backbone_gives_the_features_of_evaluation():
    network = Network("test_efficientnet")
    apply_freeze(network, network.groups, len(network.groups) - 1)
    features = network.backbone(images())
    assert network.head.training
    assert torch.equal(features, network.eval().backbone(images()))


def test_thawed_modules_are_in_training_again():
    network = Network("test_efficientnet")
    apply_freeze(network, network.groups, len(network.groups) - 1)
    apply_freeze(network, network.groups, 0)
    assert all(module.training for module in network.modules())
    assert all(p.requires_grad for p in network.parameters())


def test_a_gradient_from_before_freezing_is_dropped():
    network = Network("test_efficientnet")
    network(images()).sum().backward()
    apply_freeze(network, network.groups, 1)
    optimizer = AdamW(lr=0.01).build(network.groups)
    before = network.backbone.conv_stem.weight.detach().clone()
    optimizer.step()
    assert torch.equal(network.backbone.conv_stem.weight, before)


def frozen(module):
    module.requires_grad_(requires_grad=False)
    return module


def test_a_module_without_parameters_is_frozen_with_what_comes_before_it():
    norm, early, late = nn.BatchNorm1d(2, affine=False), nn.Dropout(), nn.Dropout()
    first, last = frozen(nn.Linear(2, 2)), nn.Linear(2, 2)
    network = nn.Sequential(first, norm, early, last, late)
    assert frozen_modules(network) == [first, norm, early]


def test_dropout_inside_a_frozen_block_is_off():
    block = frozen(nn.Sequential(nn.Dropout(), nn.Linear(2, 2)))
    network = nn.Sequential(block, nn.Dropout(), nn.Linear(2, 2), nn.Dropout())
    groups = [
        [(name, p) for name, p in child.named_parameters()] for child in (network[0], network[2])
    ]
    apply_freeze(network, groups, 1)
    assert [m.training for m in network.modules() if isinstance(m, nn.Dropout)] == [
        False,
        False,
        True,
    ]

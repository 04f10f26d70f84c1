"""Learning rates and weight decay by layer."""

import pytest
import torch
from torch import nn

from trainable.backbones import Backbone, layer_groups
from trainable.errors import ConfigError
from trainable.optimizers.adam import AdamW
from trainable.optimizers.groups import layer_rate, param_groups
from trainable.timm_import import timm


def block():
    return nn.Sequential(nn.Conv2d(2, 2, 3), nn.BatchNorm2d(2))


def groups_of(*modules, **rates):
    return param_groups([list(m.named_parameters()) for m in modules], **rates)


def test_norms_and_biases_are_not_decayed():
    conv, norm = block()
    groups = groups_of(
        nn.Sequential(conv, norm), nn.Linear(2, 2), lr=0.1, weight_decay=0.5, layer_decay=1.0
    )
    decayed = [p for group in groups if group["weight_decay"] for p in group["params"]]
    assert decayed[0] is conv.weight
    assert [p.ndim for p in decayed] == [4, 2]
    assert {group["weight_decay"] for group in groups} == {0.5, 0.0}


def test_each_layer_has_a_share_of_the_next_ones_rate():
    groups = groups_of(block(), block(), nn.Linear(2, 2), lr=0.8, weight_decay=0, layer_decay=0.5)
    rates = {id(p): group["lr"] for group in groups for p in group["params"]}
    assert sorted(rates.values()) == pytest.approx([0.2] * 4 + [0.4] * 4 + [0.8] * 2)
    assert [group["is_head"] for group in groups] == [False] * 4 + [True] * 2


def test_rates_are_timms():
    module = timm.create_model("test_vit", num_classes=3)
    theirs = timm.optim.param_groups_layer_decay(module, weight_decay=0.1, layer_decay=0.7)
    scale = {id(p): group["lr_scale"] for group in theirs for p in group["params"]}
    layers = layer_groups(module)
    for number, layer in enumerate(layers):
        for name, parameter in layer:
            rate = layer_rate(number, len(layers), lr=1.0, layer_decay=0.7)
            assert rate == pytest.approx(scale[id(parameter)]), name


def test_without_layer_decay_there_are_four_groups():
    backbone = Backbone(name="test_convnext").build((32, 32), load_pretrained=False)
    layers = [*layer_groups(backbone), list(nn.Linear(64, 3).named_parameters())]
    assert len(param_groups(layers, lr=1.0, weight_decay=0.0, layer_decay=1.0)) == 4


def test_weight_decay_of_adamw_shrinks_weights_and_not_biases():
    layer = nn.Linear(2, 2)
    before = layer.weight.detach().clone(), layer.bias.detach().clone()
    optimizer = AdamW(lr=0.1, weight_decay=0.5).build([list(layer.named_parameters())])
    layer.weight.grad, layer.bias.grad = torch.zeros(2, 2), torch.zeros(2)
    optimizer.step()
    torch.testing.assert_close(layer.weight.detach(), before[0] * (1 - 0.1 * 0.5))
    assert torch.equal(layer.bias, before[1])


def test_layer_decay_on_a_backbone_without_known_layers_is_refused():
    with pytest.raises(
        ConfigError, match=r"optimizer/layer_decay: expected 1 with this backbone, got 0\.5"
    ):
        groups_of(block(), nn.Linear(2, 2), lr=0.1, weight_decay=0, layer_decay=0.5)

"""Heads of one, two and three layers."""

import pytest
import torch
from pydantic import ValidationError
from torch import nn

from trainable.data.index import LabelSpace
from trainable.heads.layered import Deep, Linear, Shallow

LABELS = LabelSpace(classes=("a", "b", "c"))


def shapes(head):
    return [tuple(layer.weight.shape) for layer in head.modules() if isinstance(layer, nn.Linear)]


def test_linear_is_one_layer():
    assert shapes(Linear().build(10, LABELS)) == [(3, 10)]


def test_shallow_is_two_layers():
    assert shapes(Shallow(hidden=7).build(10, LABELS)) == [(7, 10), (3, 7)]


def test_deep_is_three_layers():
    assert shapes(Deep(hidden=7).build(10, LABELS)) == [(7, 10), (7, 7), (3, 7)]


def test_linear_by_hand():
    head = Linear().build(2, LABELS)
    *_, layer = head.layers
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[1.0, 2.0], [0.0, -1.0], [3.0, 0.5]]))
        layer.bias.copy_(torch.tensor([0.0, 10.0, -1.0]))
    assert head(torch.tensor([[2.0, 4.0]])).tolist() == [[10.0, 6.0, 7.0]]


def test_there_is_a_bend_between_layers_but_none_before_the_logits():
    head = Deep(hidden=64).build(10, LABELS)
    features_NF = torch.randn(200, 10, generator=torch.Generator().manual_seed(0))
    logits_NC = head(features_NF)
    assert not torch.allclose(head(-features_NF), -logits_NC, atol=1e-3)
    assert (logits_NC < 0).any()


def test_hidden_layers_keep_the_size_of_their_inputs():
    torch.manual_seed(0)
    head = Deep(hidden=256).build(256, LABELS)
    hidden_NF = head.layers[:-1](torch.randn(100, 256))
    assert 0.7 < hidden_NF.square().mean().sqrt() < 1.4


def test_linear_has_no_hidden_width():
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        Linear(hidden=10)


def test_dropping_everything_is_refused():
    with pytest.raises(ValidationError, match="less than 1"):
        Shallow(dropout=1.0)

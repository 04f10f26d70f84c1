"""Heads of one, two and three fully connected layers."""

import math
from itertools import pairwise
from typing import Literal

from pydantic import Field
from torch import Tensor, nn

from trainable.data.index import LabelSpace
from trainable.heads.base import HeadPart

# Standard deviation of the first logits, for inputs of size 1: so small that the first
# predictions are nearly even, but not 0, which would keep the layers below from learning.
FIRST_LOGITS_STD = 0.25


class Linear(HeadPart):
    """One fully connected layer."""

    name: Literal["linear"] = "linear"

    def build(self, num_features: int, labels: LabelSpace) -> nn.Module:
        """Return a head of one layer."""
        return LayeredHead([num_features, labels.num_classes], dropout=self.dropout)


class Shallow(HeadPart):
    """Two fully connected layers."""

    name: Literal["shallow"] = "shallow"
    hidden: int = Field(512, ge=1, le=16384)

    def build(self, num_features: int, labels: LabelSpace) -> nn.Module:
        """Return a head of two layers."""
        widths = [num_features, self.hidden, labels.num_classes]
        return LayeredHead(widths, dropout=self.dropout)


class Deep(HeadPart):
    """Three fully connected layers."""

    name: Literal["deep"] = "deep"
    hidden: int = Field(512, ge=1, le=16384)

    def build(self, num_features: int, labels: LabelSpace) -> nn.Module:
        """Return a head of three layers."""
        widths = [num_features, self.hidden, self.hidden, labels.num_classes]
        return LayeredHead(widths, dropout=self.dropout)


class LayeredHead(nn.Module):
    """Fully connected layers with dropout before each and ReLU between them.

    Args:
        widths: Widths from the features to the classes; one layer between two neighbours.
        dropout: Share of each layer's inputs that is dropped in training.
    """

    def __init__(self, widths: list[int], *, dropout: float) -> None:
        super().__init__()
        *hidden, last = pairwise(widths)
        layers: list[nn.Module] = []
        for inputs, outputs in hidden:
            layers += [nn.Dropout(dropout), hidden_layer(inputs, outputs), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Dropout(dropout), last_layer(*last))

    def forward(self, features_NF: Tensor) -> Tensor:
        """Return logits, float32 [num_images, num_classes]."""
        logits_NC: Tensor = self.layers(features_NF)
        return logits_NC.float()


def hidden_layer(inputs: int, outputs: int) -> nn.Linear:
    """Return a layer in front of a ReLU, which keeps the size of its inputs (He et al. 2015)."""
    layer = nn.Linear(inputs, outputs)
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    nn.init.zeros_(layer.bias)
    return layer


def last_layer(inputs: int, outputs: int) -> nn.Linear:
    """Return a layer of logits whose first predictions are nearly even."""
    layer = nn.Linear(inputs, outputs)
    nn.init.trunc_normal_(layer.weight, std=FIRST_LOGITS_STD / math.sqrt(inputs))
    nn.init.zeros_(layer.bias)
    return layer

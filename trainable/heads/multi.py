"""One head an attribute, joined into the classes' log-probabilities."""

from itertools import combinations
from typing import Literal

import torch
from torch import Tensor, nn

from trainable.data.index import LabelSpace
from trainable.errors import ConfigError, expected
from trainable.heads.base import HeadPart
from trainable.heads.layered import last_layer


class Multi(HeadPart):
    """One linear head an attribute; a class is as likely as its attributes' values together."""

    name: Literal["multi"] = "multi"

    def build(self, num_features: int, labels: LabelSpace) -> nn.Module:
        """Return a head with one layer an attribute that the class determines.

        Raises:
            ConfigError: If there is no such attribute, or two classes agree in all of them.
        """
        attributes = labels.class_attributes
        values_AC = [of_class for _, of_class in attributes.values()]
        check_told_apart(labels.classes, list(zip(*values_AC, strict=True)))
        num_values = [len(values) for values, _ in attributes.values()]
        return MultiHead(num_features, num_values, values_AC, dropout=self.dropout)


class MultiHead(nn.Module):
    """A linear layer an attribute; their log-probabilities are summed class by class.

    Where some combinations of values belong to no class, what is left is normalised over the
    classes; where every combination is a class, the sums are normalised already.

    Args:
        num_features: Width of the features.
        num_values: Number of values of each attribute.
        values_AC: Number of the value that each class has, by attribute.
        dropout: Share of the features that is dropped in training.
    """

    value_of_class: Tensor

    def __init__(
        self,
        num_features: int,
        num_values: list[int],
        values_AC: list[tuple[int, ...]],
        *,
        dropout: float,
    ) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.ModuleList(last_layer(num_features, count) for count in num_values)
        self.register_buffer("value_of_class", torch.tensor(values_AC), persistent=False)

    def forward(self, features_NF: Tensor) -> Tensor:
        """Return joint log-probabilities, float32 [num_images, num_classes]."""
        features_NF = self.dropout(features_NF)
        log_probs_ANC = torch.stack(
            [
                layer(features_NF).float().log_softmax(dim=1)[:, values_C]
                for layer, values_C in zip(self.layers, self.value_of_class, strict=True)
            ]
        )
        return log_probs_ANC.sum(dim=0).log_softmax(dim=1)


def check_told_apart(classes: tuple[str, ...], values_CA: list[tuple[int, ...]]) -> None:
    """Check that every class has its own combination of attribute values.

    Args:
        classes: Names of the classes.
        values_CA: Numbers of the attribute values of each class; empty without attributes.

    Raises:
        ConfigError: If there are no attributes, or two classes have the same values.
    """
    remedy = "Take the head linear, shallow or deep, or data whose attributes make up the class."
    if not values_CA:
        what = "attributes that the class determines, for the multi head"
        raise ConfigError(expected("head/name", what, "none", remedy))
    for (one, values), (other, same) in combinations(zip(classes, values_CA, strict=True), 2):
        if values == same:
            what = "attributes that tell all classes apart, for the multi head"
            got = f"the same values for {one!r} and {other!r}"
            raise ConfigError(expected("head/name", what, got, remedy))

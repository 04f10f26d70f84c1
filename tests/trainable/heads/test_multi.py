"""The head whose classes are combinations of attributes."""

import numpy as np
import pytest
import torch

from trainable.data.index import Attribute, LabelSpace
from trainable.errors import ConfigError
from trainable.heads.multi import Multi

MASK = ("on", "wrong", "none")
AGE = ("young", "middle", "old")


def product_space():
    """Six classes, numbered so that the first attribute changes fastest."""
    return LabelSpace(
        classes=tuple(f"{mask} {age}" for age in AGE[:2] for mask in MASK),
        attributes={
            "mask": Attribute(MASK, (0, 1, 2, 0, 1, 2)),
            "age": Attribute(AGE[:2], (0, 0, 0, 1, 1, 1)),
        },
    )


def partial_space():
    """Four of the nine combinations."""
    return LabelSpace(
        classes=("a", "b", "c", "d"),
        attributes={"mask": Attribute(MASK, (2, 0, 0, 1)), "age": Attribute(AGE, (0, 2, 1, 1))},
    )


def with_log_probs(head, *probs):
    """Give each attribute's layer these probabilities, whatever the features."""
    with torch.no_grad():
        for layer, row in zip(head.layers, probs, strict=True):
            layer.weight.zero_()
            layer.bias.copy_(torch.tensor(row).log())
    return head(torch.ones(1, 4)).exp()[0].tolist()


def test_a_class_is_as_likely_as_its_values_together():
    head = Multi().build(4, product_space())
    probs = with_log_probs(head, [0.2, 0.3, 0.5], [0.9, 0.1])
    assert probs == pytest.approx([0.18, 0.27, 0.45, 0.02, 0.03, 0.05])


def test_combinations_without_a_class_are_left_out_of_the_whole():
    head = Multi().build(4, partial_space())
    probs = with_log_probs(head, [0.2, 0.3, 0.5], [0.7, 0.2, 0.1])
    joint = np.array([0.5 * 0.7, 0.2 * 0.1, 0.2 * 0.2, 0.3 * 0.2])
    assert probs == pytest.approx(joint / joint.sum())


@pytest.mark.parametrize("labels", [product_space(), partial_space()], ids=["product", "partial"])
def test_log_probabilities_are_normalised_at_any_size_of_logits(labels):
    head = Multi().build(4, labels)
    for size in (1.0, 1e3, 1e6):
        log_probs_NC = head(size * torch.randn(8, 4, generator=torch.Generator().manual_seed(3)))
        torch.testing.assert_close(log_probs_NC.exp().sum(1), torch.ones(8))
        assert log_probs_NC.isfinite().all()


def test_the_most_likely_class_has_the_most_likely_values():
    labels = product_space()
    head = Multi().build(4, labels)
    features_NF = torch.randn(50, 4, generator=torch.Generator().manual_seed(1))
    predicted_N = head(features_NF).argmax(1)
    for layer, (_, of_class) in zip(head.layers, labels.class_attributes.values(), strict=True):
        assert torch.equal(torch.tensor(of_class)[predicted_N], layer(features_NF).argmax(1))
    assert len(predicted_N.unique()) > 1


def test_attributes_that_the_class_does_not_determine_get_no_layer():
    labels = product_space()
    camera = {"camera": Attribute(("left", "right"))}
    head = Multi().build(4, LabelSpace(labels.classes, camera | labels.attributes))
    assert [layer.out_features for layer in head.layers] == [3, 2]


@pytest.mark.parametrize("attributes", [{}, {"camera": Attribute(("left", "right"))}])
def test_data_without_attributes_is_refused(attributes):
    with pytest.raises(
        ConfigError,
        match=r"head/name: expected attributes that the class determines.*got none.*linear",
    ):
        Multi().build(4, LabelSpace(("a", "b"), attributes))


def test_classes_with_the_same_values_are_refused_by_name():
    labels = LabelSpace(("a", "b", "c"), {"mask": Attribute(MASK, (0, 1, 0))})
    with pytest.raises(ConfigError, match=r"tell all classes apart.*same values for 'a' and 'c'"):
        Multi().build(4, labels)

"""What every head of the family keeps to."""

import pytest
import torch

from trainable.data.index import Attribute, LabelSpace
from trainable.heads import Head
from trainable.part import members

NUM_FEATURES = 48
LABELS = LabelSpace(
    classes=("small red", "small blue", "big red", "big blue", "big green"),
    attributes={
        "size": Attribute(("small", "big"), (0, 0, 1, 1, 1)),
        "colour": Attribute(("red", "blue", "green"), (0, 1, 0, 1, 2)),
        "camera": Attribute(("a", "b")),
    },
)

FEATURES_NF = torch.randn(16, NUM_FEATURES, generator=torch.Generator().manual_seed(2))

every_head = pytest.mark.parametrize("part", members(Head), ids=lambda part: part.part_name())


def build(part, **fields):
    torch.manual_seed(5)
    return part(**fields).build(NUM_FEATURES, LABELS)


@every_head
def test_a_head_gives_a_float32_logit_for_every_class(part):
    logits_NC = build(part)(FEATURES_NF)
    assert logits_NC.shape == (16, 5)
    assert logits_NC.dtype == torch.float32


@every_head
def test_logits_are_float32_under_autocast(part):
    head = build(part)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits_NC = head(FEATURES_NF)
    assert logits_NC.dtype == torch.float32
    torch.testing.assert_close(logits_NC, head(FEATURES_NF), atol=0.05, rtol=0.05)


@every_head
def test_the_first_predictions_are_nearly_even(part):
    probs_NC = build(part)(FEATURES_NF).softmax(1)
    assert (probs_NC - 1 / 5).abs().max() < 0.3
    assert (probs_NC - 1 / 5).abs().mean() < 0.08


@every_head
def test_every_parameter_gets_a_gradient(part):
    head = build(part)
    head(FEATURES_NF).log_softmax(1)[:, 1].mean().backward()
    assert all(parameter.grad.abs().max() > 0 for parameter in head.parameters())


@every_head
def test_dropout_acts_in_training_only(part):
    head = build(part, dropout=0.5)
    assert not torch.equal(head(FEATURES_NF), head(FEATURES_NF))
    head.eval()
    assert torch.equal(head(FEATURES_NF), head(FEATURES_NF))


@every_head
def test_without_dropout_training_and_evaluation_agree(part):
    head = build(part)
    assert torch.equal(head(FEATURES_NF), head.eval()(FEATURES_NF))


@every_head
def test_the_same_seed_gives_the_same_head(part):
    assert torch.equal(build(part)(FEATURES_NF), build(part)(FEATURES_NF))


@every_head
def test_a_head_is_restored_from_its_weights(part):
    head = build(part)
    torch.manual_seed(6)
    other = part().build(NUM_FEATURES, LABELS)
    other.load_state_dict(head.state_dict())
    assert torch.equal(other(FEATURES_NF), head(FEATURES_NF))


@every_head
def test_a_head_holds_weights_of_floats_only(part):
    assert {value.dtype for value in build(part).state_dict().values()} == {torch.float32}


@every_head
def test_a_head_can_be_built_without_memory(part):
    with torch.device("meta"):
        head = part().build(NUM_FEATURES, LABELS)
    assert head(torch.empty(2, NUM_FEATURES, device="meta")).shape == (2, 5)


@every_head
def test_a_head_learns_which_class_each_image_has(part):
    head = build(part)
    labels_N = torch.arange(16) % 5
    optimizer = torch.optim.Adam(head.parameters(), lr=0.02)
    for _ in range(40):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(head(FEATURES_NF), labels_N).backward()
        optimizer.step()
    assert torch.equal(head(FEATURES_NF).argmax(1), labels_N)

"""The losses against torch, scikit-learn, and values worked out by hand."""

import math

import pytest
import torch
from pydantic import ValidationError
from sklearn.metrics import f1_score
from torch.nn import functional

from trainable.losses.cross_entropy import cross_entropy
from trainable.losses.f1 import soft_f1_loss
from trainable.losses.focal import Focal, focal_loss
from trainable.losses.focal_label_smoothing import FocalLabelSmoothing, focal_label_smoothing_loss
from trainable.losses.label_smoothing import LabelSmoothing, label_smoothing_loss, smooth

LOGITS_NC = 2 * torch.randn(32, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
# Class 5 is absent, class 0 frequent.
LABELS_N = torch.tensor([0, 0, 0, 1, 2, 3, 4, 6] * 4)
HARD_NC = functional.one_hot(LABELS_N, 7).double()
TARGETS_NC = 0.7 * HARD_NC + 0.3 * HARD_NC.roll(3, dims=0)


def logits_of(*probs):
    return torch.tensor([probs], dtype=torch.float64).log()


def row(*targets):
    return torch.tensor([targets], dtype=torch.float64)


def test_cross_entropy_of_class_numbers_is_torchs():
    expected = functional.cross_entropy(LOGITS_NC, LABELS_N)
    torch.testing.assert_close(cross_entropy(LOGITS_NC, HARD_NC), expected)


def test_cross_entropy_by_hand():
    loss = cross_entropy(logits_of(0.5, 0.3, 0.2), row(0.0, 0.9, 0.1))
    assert loss.item() == pytest.approx(-0.9 * math.log(0.3) - 0.1 * math.log(0.2))


def test_cross_entropy_of_a_wrong_certainty_is_the_gap_of_the_logits():
    assert cross_entropy(torch.tensor([[1e4, -1e4]]), torch.tensor([[0.0, 1.0]])).item() == 2e4


def test_focal_by_hand():
    loss = focal_loss(logits_of(0.5, 0.3, 0.2), row(0.0, 0.9, 0.1), gamma=2.0)
    by_hand = -0.9 * 0.7**2 * math.log(0.3) - 0.1 * 0.8**2 * math.log(0.2)
    assert loss.item() == pytest.approx(by_hand)


def test_focal_without_gamma_is_cross_entropy():
    loss = focal_loss(LOGITS_NC, TARGETS_NC, gamma=0.0)
    torch.testing.assert_close(loss, functional.cross_entropy(LOGITS_NC, TARGETS_NC))


@pytest.mark.parametrize("gamma", [0.5, 1.0, 3.0])
def test_focal_is_the_plain_formula_where_that_is_safe(gamma):
    probs_NC = LOGITS_NC.softmax(1)
    plain = -(TARGETS_NC * (1 - probs_NC) ** gamma * probs_NC.log()).sum(1).mean()
    torch.testing.assert_close(focal_loss(LOGITS_NC, TARGETS_NC, gamma=gamma), plain)


def test_focal_keeps_the_digits_of_a_nearly_certain_prediction():
    # 1 - p = exp(-12) is 6e-6, of which 1 - p in float32 has two digits left.
    loss = focal_loss(torch.tensor([[12.0, 0.0]]), torch.tensor([[1.0, 0.0]]), gamma=1.0)
    miss = 1 / (1 + math.exp(12.0))
    assert loss.item() == pytest.approx(-miss * math.log1p(-miss), rel=0.02)


def test_focal_weighs_easy_images_less():
    easy, hard = logits_of(0.9, 0.1), logits_of(0.2, 0.8)
    target = row(1.0, 0.0)

    def ratio(gamma):
        return focal_loss(easy, target, gamma=gamma) / focal_loss(hard, target, gamma=gamma)

    assert ratio(3.0) < ratio(1.0) < ratio(0.0)


def test_label_smoothing_is_torchs():
    expected = functional.cross_entropy(LOGITS_NC, TARGETS_NC, label_smoothing=0.2)
    torch.testing.assert_close(
        label_smoothing_loss(LOGITS_NC, TARGETS_NC, smoothing=0.2), expected
    )


def test_smoothing_gives_its_share_to_every_class_alike():
    smoothed = smooth(row(0.0, 0.75, 0.25, 0.0), 0.2)
    torch.testing.assert_close(smoothed, row(0.05, 0.65, 0.25, 0.05))


def test_focal_label_smoothing_by_hand():
    loss = focal_label_smoothing_loss(
        logits_of(0.5, 0.5 * 0.6, 0.2), row(0.0, 1.0, 0.0), gamma=2.0, smoothing=0.3
    )
    by_hand = -(
        0.1 * 0.5**2 * math.log(0.5) + 0.8 * 0.7**2 * math.log(0.3) + 0.1 * 0.8**2 * math.log(0.2)
    )
    assert loss.item() == pytest.approx(by_hand)


def test_focal_label_smoothing_without_smoothing_is_focal():
    torch.testing.assert_close(
        focal_label_smoothing_loss(LOGITS_NC, TARGETS_NC, gamma=1.5, smoothing=0.0),
        focal_loss(LOGITS_NC, TARGETS_NC, gamma=1.5),
    )


def test_soft_f1_by_hand():
    probs = torch.tensor([[0.7, 0.2, 0.1], [0.4, 0.5, 0.1]], dtype=torch.float64)
    targets = torch.tensor([[1.0, 0.0, 0.0], [0.25, 0.75, 0.0]], dtype=torch.float64)
    first = 2 * (0.7 + 0.25 * 0.4) / (1.25 + 1.1)
    second = 2 * (0.75 * 0.5) / (0.75 + 0.7)
    loss = soft_f1_loss(probs.log(), targets)
    assert loss.item() == pytest.approx(1 - (first + second) / 2)


def test_soft_f1_of_certain_predictions_is_scikit_learns_over_the_classes_present():
    present = LABELS_N.unique().tolist()
    predicted_N = LOGITS_NC.argmax(1)
    expected = f1_score(LABELS_N, predicted_N, labels=present, average="macro")
    certain_NC = 1e4 * functional.one_hot(predicted_N, 7)
    loss = soft_f1_loss(certain_NC.double(), HARD_NC)
    assert 5 in predicted_N
    assert loss.item() == pytest.approx(1 - expected)


def test_soft_f1_is_zero_for_a_perfect_batch():
    perfect = torch.eye(5)[[0, 0, 3]]
    assert soft_f1_loss(1e4 * perfect, perfect).item() == pytest.approx(0.0)


def test_a_share_of_labels_that_leaves_nothing_of_the_target_is_refused():
    with pytest.raises(ValidationError, match="less than 1"):
        LabelSmoothing(smoothing=1.0)


@pytest.mark.parametrize(
    ("part", "field"),
    [
        (Focal, "gamma"),
        (FocalLabelSmoothing, "gamma"),
        (FocalLabelSmoothing, "smoothing"),
        (LabelSmoothing, "smoothing"),
    ],
)
@pytest.mark.parametrize("value", [0.0, -0.1])
def test_a_value_that_makes_a_loss_another_one_or_none_is_refused(part, field, value):
    with pytest.raises(ValidationError, match="greater than 0"):
        part(**{field: value})

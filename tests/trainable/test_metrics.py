import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, f1_score, log_loss

from trainable.data.index import Attribute, LabelSpace
from trainable.metrics import class_f1, macro_f1, score

AGE = Attribute(("young", "old"), (0, 1, 0, 1))
SPACE = LabelSpace(("m_young", "m_old", "f_young", "f_old"), {"age": AGE})


@pytest.fixture
def predictions():
    """Return imbalanced labels and probabilities that are right more often than not."""
    rng = np.random.default_rng(3)
    labels = rng.choice(4, size=300, p=[0.6, 0.25, 0.1, 0.05])
    logits = rng.normal(size=(300, 4)) + 1.5 * np.eye(4)[labels]
    probabilities = torch.from_numpy(logits).softmax(dim=1)
    return probabilities, torch.from_numpy(labels)


def test_scores_agree_with_scikit_learn(predictions):
    probabilities, labels = predictions
    predicted = probabilities.argmax(dim=1)
    scores = score(probabilities, labels, SPACE)
    assert scores["f1"] == pytest.approx(f1_score(labels, predicted, average="macro"))
    assert scores["accuracy"] == pytest.approx(accuracy_score(labels, predicted))
    assert scores["loss"] == pytest.approx(log_loss(labels, probabilities), rel=1e-5)


def test_macro_f1_and_accuracy_differ_on_imbalanced_data(predictions):
    scores = score(*predictions, SPACE)
    assert scores["accuracy"] - scores["f1"] > 0.05


def test_always_the_largest_class_has_accuracy_but_no_macro_f1():
    labels = torch.tensor([0] * 9 + [1])
    probabilities = torch.tensor([[0.9, 0.1]]).expand(10, 2)
    scores = score(probabilities, labels, LabelSpace(("large", "small")))
    assert scores["accuracy"] == pytest.approx(0.9)
    assert scores["f1"] == pytest.approx((2 * 9 / (2 * 9 + 1) + 0) / 2)


def test_an_attribute_is_scored_as_a_prediction_of_its_own(predictions):
    probabilities, labels = predictions
    scores = score(probabilities, labels, SPACE)
    of_class = np.array(AGE.of_class)
    true, predicted = of_class[labels], of_class[probabilities.argmax(dim=1)]
    assert scores["f1/age"] == pytest.approx(f1_score(true, predicted, average="macro"))
    by_value = f1_score(true, predicted, average=None)
    assert scores["f1/age/young"] == pytest.approx(by_value[0])
    assert scores["f1/age/old"] == pytest.approx(by_value[1])


def test_a_group_is_scored_by_the_label_within_it(predictions):
    probabilities, labels = predictions
    cameras = torch.arange(300) % 2
    space = LabelSpace(SPACE.classes, {"camera": Attribute(("a", "b", "unused"))})
    scores = score(probabilities, labels, space, {"camera": cameras})
    predicted = probabilities.argmax(dim=1)
    of_a = f1_score(labels[::2], predicted[::2], average="macro")
    of_b = f1_score(labels[1::2], predicted[1::2], average="macro")
    assert scores["f1/camera/a"] == pytest.approx(of_a)
    assert scores["f1/camera/b"] == pytest.approx(of_b)
    assert scores["f1/camera"] == pytest.approx((of_a + of_b) / 2)
    assert "f1/camera/unused" not in scores


def test_classes_that_occur_nowhere_are_left_out_of_macro_f1():
    labels = torch.tensor([0, 0, 1, 1])
    predicted = torch.tensor([0, 1, 1, 1])
    assert macro_f1(predicted, labels, 18) == pytest.approx((2 / 3 + 4 / 5) / 2)
    assert class_f1(predicted, labels, 4) == pytest.approx([2 / 3, 4 / 5, 0, 0])


def test_a_probability_of_zero_gives_a_finite_loss():
    scores = score(torch.tensor([[1.0, 0.0]]), torch.tensor([1]), LabelSpace(("a", "b")))
    assert np.isfinite(scores["loss"])

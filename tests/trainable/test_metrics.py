import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, log_loss

from trainable.data.index import Attribute, LabelSpace
from trainable.metrics import class_f1, confusions, macro_f1, score
from trainable.objective import MOST_COLUMNS, recorded_metrics

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


def test_f1_by_class_agrees_with_scikit_learn(predictions):
    probabilities, labels = predictions
    expected = f1_score(labels, probabilities.argmax(dim=1), average=None)
    scores = score(probabilities, labels, SPACE)
    found = [scores[f"class_f1/{name}"] for name in SPACE.classes]
    assert found == pytest.approx(expected)
    assert min(found) < max(found) - 0.2


def test_f1_by_class_worked_out_by_hand():
    # F1 = 2 right / (images of the class + images taken for it).
    labels = torch.tensor([0, 0, 0, 1, 1])
    predicted = torch.tensor([0, 0, 1, 1, 0])
    assert class_f1(predicted, labels, 2).tolist() == pytest.approx([4 / 6, 2 / 4])


def test_classes_that_occur_nowhere_are_left_out_of_macro_f1_and_have_none_of_their_own():
    labels = torch.tensor([0, 0, 1, 1])
    predicted = torch.tensor([0, 1, 1, 1])
    assert macro_f1(predicted, labels, 18).item() == pytest.approx((2 / 3 + 4 / 5) / 2)
    by_class = class_f1(predicted, labels, 4)
    assert by_class[:2].tolist() == pytest.approx([2 / 3, 4 / 5])
    assert by_class[2:].isnan().all()
    scores = score(torch.eye(4)[predicted], labels, LabelSpace(tuple("abcd")))
    assert [name for name in scores if name.startswith("class_f1")] == ["class_f1/a", "class_f1/b"]


def test_a_class_that_is_only_predicted_counts_as_wrong():
    labels, predicted = torch.tensor([0, 0, 1]), torch.tensor([0, 2, 1])
    assert class_f1(predicted, labels, 3).tolist() == pytest.approx([2 / 3, 1, 0])
    assert macro_f1(predicted, labels, 3).item() == pytest.approx((2 / 3 + 1 + 0) / 3)


def test_scores_are_called_what_the_search_may_be_asked_for(predictions):
    probabilities, labels = predictions
    attributes = {"age": AGE, "camera": Attribute(("a", "b"))}
    space = LabelSpace(SPACE.classes, attributes)
    scores = score(probabilities, labels, space, {"camera": torch.arange(300) % 2})
    assert {f"val/{name}" for name in scores} == set(recorded_metrics(space))


def test_a_class_and_an_attribute_of_the_same_name_have_their_own_scores(predictions):
    probabilities, labels = predictions
    space = LabelSpace(("x", "y", "z", "w"), {"class": Attribute(("x", "y"), (0, 0, 1, 1))})
    scores = score(probabilities, labels, space)
    predicted = probabilities.argmax(dim=1)
    of_class = f1_score(labels, predicted, average=None)[0]
    of_value = f1_score(labels > 1, predicted > 1, average=None)[0]
    assert scores["class_f1/x"] == pytest.approx(of_class)
    assert scores["f1/class/x"] == pytest.approx(of_value)
    assert of_class != pytest.approx(of_value)


def test_more_classes_or_values_than_columns_are_scored_together_only():
    num = MOST_COLUMNS + 1
    names = tuple(map(str, range(num)))
    of_class = Attribute(names, tuple(reversed(range(num))))
    space = LabelSpace(names, {"twin": of_class, "camera": Attribute(names)})
    labels = torch.arange(num)
    groups = {"camera": torch.arange(num)}
    scores = score(torch.eye(num), labels, space, groups)
    assert scores == pytest.approx(
        {"f1": 1, "accuracy": 1, "loss": 0, "f1/twin": 1, "f1/camera": 1}
    )
    assert {f"val/{name}" for name in scores} == set(recorded_metrics(space))


def test_confusions_agree_with_scikit_learn(predictions):
    probabilities, labels = predictions
    predicted = probabilities.argmax(dim=1)
    space = LabelSpace(SPACE.classes, {"age": AGE, "camera": Attribute(("a", "b"))})
    matrices = confusions(probabilities, labels, space)
    assert list(matrices) == ["label", "age"]
    np.testing.assert_array_equal(matrices["label"], confusion_matrix(labels, predicted))
    age = np.array(AGE.of_class)
    np.testing.assert_array_equal(matrices["age"], confusion_matrix(age[labels], age[predicted]))


def test_confusions_worked_out_by_hand():
    labels, predicted = torch.tensor([0, 0, 1, 2]), torch.tensor([0, 1, 1, 0])
    space = LabelSpace(("a", "b", "c"), {"only": Attribute(("one",), (0, 0, 0))})
    matrices = confusions(torch.eye(3)[predicted], labels, space)
    assert matrices["label"].tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 0]]
    assert matrices["only"].tolist() == [[4]]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_scores_on_a_gpu_are_those_on_a_cpu(predictions):
    probabilities, labels = predictions
    space = LabelSpace(SPACE.classes, {"age": AGE, "camera": Attribute(("a", "b"))})
    groups = torch.arange(300) % 2
    on_gpu = score(probabilities.cuda(), labels.cuda(), space, {"camera": groups.cuda()})
    assert on_gpu == pytest.approx(score(probabilities, labels, space, {"camera": groups}))


def test_a_probability_of_zero_gives_a_finite_loss():
    scores = score(torch.tensor([[1.0, 0.0]]), torch.tensor([1]), LabelSpace(("a", "b")))
    assert np.isfinite(scores["loss"])

"""Metrics of a set of predictions: for the label, and by attribute."""

from collections.abc import Mapping

import torch
from torch import Tensor

from trainable.data.index import LabelSpace
from trainable.timm_import import import_torchvision

import_torchvision()  # torchmetrics imports it too

from torchmetrics.classification import MulticlassAccuracy, MulticlassF1Score  # noqa: E402

SMALLEST_PROBABILITY = 1e-12


def macro_f1(predicted_N: Tensor, true_N: Tensor, num_classes: int) -> float:
    """Return the mean F1 of the classes that occur among predictions or truth.

    A class that occurs in neither is left out of the mean, as torchmetrics does; scikit-learn
    with all labels given counts it as 0. With every class in the validation part they agree.

    Args:
        predicted_N: int64 [N], predicted classes.
        true_N: int64 [N], true classes.
        num_classes: Number of classes, at least 2.

    Example:
        >>> round(macro_f1(torch.tensor([0, 0, 1]), torch.tensor([0, 1, 1]), 4), 4)
        0.6667
    """
    metric = MulticlassF1Score(num_classes, average="macro", validate_args=False)
    return float(metric.to(true_N.device)(predicted_N, true_N))


def class_f1(predicted_N: Tensor, true_N: Tensor, num_classes: int) -> list[float]:
    """Return the F1 of each class, 0 for one that occurs nowhere; arguments as in macro_f1."""
    metric = MulticlassF1Score(num_classes, average="none", validate_args=False)
    scores: list[float] = metric.to(true_N.device)(predicted_N, true_N).tolist()
    return scores


def score(
    probabilities_NC: Tensor,
    labels_N: Tensor,
    label_space: LabelSpace,
    groups: Mapping[str, Tensor] | None = None,
) -> dict[str, float]:
    """Return every metric of a set of predictions, from one pass over it.

    An attribute that the class determines is scored as a prediction of its own: a class
    predicted is a value predicted. Any other attribute splits the images into groups, and the
    label is scored within each.

    Args:
        probabilities_NC: Probabilities [N, num_classes].
        labels_N: int64 [N], true classes.
        label_space: Classes and attributes.
        groups: For each attribute that the class does not determine int64 [N], the number of
            each image's value.

    Returns:
        ``f1`` (macro), ``accuracy``, ``loss`` (mean negative log-probability in nats, whatever
        loss was trained on, so that trials compare), ``f1/<attribute>`` (macro over its values,
        or mean over groups) and ``f1/<attribute>/<value>``.
    """
    predicted_N = probabilities_NC.argmax(dim=1)
    accuracy = MulticlassAccuracy(label_space.num_classes, average="micro", validate_args=False)
    of_truth_N = probabilities_NC.gather(1, labels_N[:, None]).clamp_min(SMALLEST_PROBABILITY)
    scores = {
        "f1": macro_f1(predicted_N, labels_N, label_space.num_classes),
        "accuracy": float(accuracy.to(labels_N.device)(predicted_N, labels_N)),
        "loss": float(-of_truth_N.log().mean()),
    }
    for name, (values, of_class) in label_space.class_attributes.items():
        value_of_class = torch.tensor(of_class, device=labels_N.device)
        scores |= _attribute_scores(
            name, values, value_of_class[predicted_N], value_of_class[labels_N]
        )
    for name, group_N in (groups or {}).items():
        values = label_space.attributes[name].values
        scores |= _group_scores(name, values, predicted_N, labels_N, group_N)
    return scores


def _attribute_scores(
    name: str, values: tuple[str, ...], predicted_N: Tensor, true_N: Tensor
) -> dict[str, float]:
    num_values = max(len(values), 2)  # torchmetrics knows no problem of a single class
    scores = {f"f1/{name}": macro_f1(predicted_N, true_N, num_values)}
    of_value = class_f1(predicted_N, true_N, num_values)
    return scores | {f"f1/{name}/{value}": of_value[i] for i, value in enumerate(values)}


def _group_scores(
    name: str,
    values: tuple[str, ...],
    predicted_N: Tensor,
    labels_N: Tensor,
    group_N: Tensor,
) -> dict[str, float]:
    num_classes = int(max(predicted_N.max(), labels_N.max())) + 1
    scores = {}
    for number, value in enumerate(values):
        chosen = group_N == number
        if chosen.any():
            f1 = macro_f1(predicted_N[chosen], labels_N[chosen], max(num_classes, 2))
            scores[f"f1/{name}/{value}"] = f1
    return {f"f1/{name}": sum(scores.values()) / max(len(scores), 1)} | scores

"""Metrics of a set of predictions: for the label, by class, and by attribute.

Everything stays on the device until all scores are there: one transfer an epoch, however many
classes there are.
"""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from trainable.data.index import LABEL, LabelSpace
from trainable.lean_import import empty
from trainable.objective import is_broken_down
from trainable.timm_import import import_torchvision

import_torchvision()  # torchmetrics imports it too

with empty("scipy.signal", "hamming"):  # where it looks for a function of metrics of sound
    from torchmetrics.functional.classification import (
        multiclass_confusion_matrix,
        multiclass_f1_score,
    )

SMALLEST_PROBABILITY = 1e-12


def macro_f1(predicted_N: Tensor, true_N: Tensor, num_classes: int) -> Tensor:
    """Return the mean F1 of the classes that occur among predictions or truth.

    A class that occurs in neither is left out of the mean, as torchmetrics does; scikit-learn
    with all labels given counts it as 0. With every class in the validation part they agree.

    Args:
        predicted_N: int64 [N], predicted classes.
        true_N: int64 [N], true classes.
        num_classes: Number of classes, at least 1.

    Returns:
        float32 [], on the device of the predictions.

    Example:
        >>> round(macro_f1(torch.tensor([0, 0, 1]), torch.tensor([0, 1, 1]), 4).item(), 4)
        0.6667
    """
    num_classes = max(num_classes, 2)  # torchmetrics knows no problem of a single class
    return multiclass_f1_score(
        predicted_N, true_N, num_classes, average="macro", validate_args=False
    )


def class_f1(predicted_N: Tensor, true_N: Tensor, num_classes: int) -> Tensor:
    """Return the F1 of each class, float32 [num_classes]; arguments as in ``macro_f1``.

    It is NaN for a class that occurs in neither predictions nor truth: such a class has no F1,
    and torchmetrics' 0 would read as the worst one.

    Example:
        >>> class_f1(torch.tensor([0, 0, 1]), torch.tensor([0, 1, 1]), 3)
        tensor([0.6667, 0.6667,    nan])
    """
    f1_C = multiclass_f1_score(
        predicted_N, true_N, max(num_classes, 2), average="none", validate_args=False
    )
    occurs_C = torch.bincount(torch.cat([predicted_N, true_N]), minlength=num_classes) > 0
    return f1_C[:num_classes].where(occurs_C, math.nan)


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
        loss was trained on, so that trials compare), ``class_f1/<class>``, ``f1/<attribute>``
        (macro over its values, or mean over groups) and ``f1/<attribute>/<value>``. What more
        than ``MOST_COLUMNS`` classes or values would fill has no names of its own; a class or
        value that occurs in neither predictions nor truth has no score.
    """
    predicted_N = probabilities_NC.argmax(dim=1)
    of_truth_N = probabilities_NC.gather(1, labels_N[:, None]).clamp_min(SMALLEST_PROBABILITY)
    scores = {
        "f1": macro_f1(predicted_N, labels_N, label_space.num_classes),
        "accuracy": (predicted_N == labels_N).float().mean(),
        "loss": -of_truth_N.log().mean(),
    }
    if is_broken_down(label_space.classes):
        of_class = class_f1(predicted_N, labels_N, label_space.num_classes)
        scores |= _named("class_f1", label_space.classes, of_class)
    for name, (values, of_class_number) in label_space.class_attributes.items():
        value_of_class = torch.tensor(of_class_number, device=labels_N.device)
        scores |= _attribute_scores(
            name, values, value_of_class[predicted_N], value_of_class[labels_N]
        )
    for name, group_N in (groups or {}).items():
        values = label_space.attributes[name].values
        of_group = _f1_within(group_N, predicted_N, labels_N, len(values), label_space)
        scores[f"f1/{name}"] = of_group.nanmean()
        if is_broken_down(values):
            scores |= _named(f"f1/{name}", values, of_group)
    return _on_host(scores)


def confusions(
    probabilities_NC: Tensor, labels_N: Tensor, label_space: LabelSpace
) -> dict[str, Tensor]:
    """Return what was taken for what: of the label, and of each attribute that a class determines.

    A value of any other attribute is never predicted, so nothing is taken for it.

    Args:
        probabilities_NC: Probabilities [N, num_classes].
        labels_N: int64 [N], true classes.
        label_space: Classes and attributes.

    Returns:
        int64 [num_classes, num_classes] under ``label`` and [num_values, num_values] under each
        attribute's name: the number of images, a row a true class or value, a column a predicted
        one.
    """
    predicted_N = probabilities_NC.argmax(dim=1)
    matrices = {LABEL: _confusion(predicted_N, labels_N, label_space.num_classes)}
    for name, (values, of_class) in label_space.class_attributes.items():
        value_of_class = torch.tensor(of_class, device=labels_N.device)
        matrices[name] = _confusion(
            value_of_class[predicted_N], value_of_class[labels_N], len(values)
        )
    return matrices


def _confusion(predicted_N: Tensor, true_N: Tensor, num_classes: int) -> Tensor:
    matrix: Tensor = multiclass_confusion_matrix(
        predicted_N, true_N, max(num_classes, 2), validate_args=False
    )
    return matrix[:num_classes, :num_classes]


def _attribute_scores(
    name: str, values: tuple[str, ...], predicted_N: Tensor, true_N: Tensor
) -> dict[str, Tensor]:
    scores = {f"f1/{name}": macro_f1(predicted_N, true_N, len(values))}
    if is_broken_down(values):
        of_value = class_f1(predicted_N, true_N, len(values))
        scores |= _named(f"f1/{name}", values, of_value)
    return scores


def _f1_within(
    group_N: Tensor, predicted_N: Tensor, labels_N: Tensor, num_groups: int, labels: LabelSpace
) -> Tensor:
    """Return the label's macro F1 within each group, float32 [num_groups], NaN of empty ones."""
    order_N = group_N.argsort()
    sizes = torch.bincount(group_N, minlength=num_groups).tolist()
    predicted = torch.split(predicted_N[order_N], sizes)
    true = torch.split(labels_N[order_N], sizes)
    nothing = torch.tensor(math.nan, device=labels_N.device)
    return torch.stack(
        [
            macro_f1(p, t, labels.num_classes) if len(t) else nothing
            for p, t in zip(predicted, true, strict=True)
        ]
    )


def _named(prefix: str, names: tuple[str, ...], scores: Tensor) -> dict[str, Tensor]:
    return {f"{prefix}/{name}": of for name, of in zip(names, scores.unbind(), strict=True)}


def _on_host(scores: Mapping[str, Tensor]) -> dict[str, float]:
    values: list[float] = torch.stack([value.float() for value in scores.values()]).tolist()
    return {name: v for name, v in zip(scores, values, strict=True) if not math.isnan(v)}

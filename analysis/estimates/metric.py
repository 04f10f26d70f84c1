"""The metrics by name, those of ``trainable.metrics.score``, each for many predictions at once."""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from analysis.estimates.counted import (
    Counting,
    CountScorer,
    Summary,
    accuracy,
    f1_of_outcome,
    macro_f1_of_group,
    mean_macro_f1,
)
from analysis.estimates.labelled import Labelled
from analysis.estimates.loss import LossScorer
from analysis.estimates.scorer import Scorer
from trainable.data.index import LabelSpace
from trainable.errors import ConfigError, unknown
from trainable.objective import recorded_metrics

VALIDATION = "val/"
HEADLINES = ("f1", "accuracy", "loss")
Maker = Callable[[Labelled], Scorer]


def scorer(metric: str, images: Labelled) -> Scorer:
    """Return the scorer of a metric.

    Args:
        metric: A name without part, such as ``f1``, ``loss`` or ``f1/age/old``.
        images: The images that it scores.

    Raises:
        ConfigError: If these images have no such metric.
    """
    makers = dict(_makers(images.label_space))
    if metric not in makers:
        known = recorded_metrics(images.label_space)
        raise ConfigError(unknown("metric", "a known metric", VALIDATION + metric, known))
    return makers[metric](images)


def _makers(labels: LabelSpace) -> Iterator[tuple[str, Maker]]:
    counted = partial(_counted, outcome_C=np.arange(labels.num_classes))
    yield "f1", partial(counted, summary=mean_macro_f1)
    yield "accuracy", partial(counted, summary=accuracy)
    yield "loss", LossScorer
    for number, name in enumerate(labels.classes):
        yield f"class_f1/{name}", partial(counted, summary=f1_of_outcome(number))
    for name, attribute in labels.attributes.items():
        if attribute.of_class is None:
            of_attribute = partial(counted, group=name)
            of_value = macro_f1_of_group
        else:
            of_attribute = partial(_counted, outcome_C=np.array(attribute.of_class))
            of_value = f1_of_outcome
        yield f"f1/{name}", partial(of_attribute, summary=mean_macro_f1)
        for number, value in enumerate(attribute.values):
            yield f"f1/{name}/{value}", partial(of_attribute, summary=of_value(number))


def _counted(
    images: Labelled, *, outcome_C: np.ndarray, summary: Summary, group: str | None = None
) -> Scorer:
    if group is None:
        group_N, num_groups = np.zeros(len(images), np.int64), 1
    else:
        group_N = images.groups[group]
        num_groups = len(images.label_space.attributes[group].values)
    counting = Counting(outcome_C, int(outcome_C.max()) + 1, group_N, num_groups, summary)
    return CountScorer(images, counting)

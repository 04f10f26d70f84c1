"""Scores of probabilities on a part of a run's data."""

from collections.abc import Mapping

import numpy as np
import torch

from analysis.estimates.interval import Interval, Resamples
from analysis.estimates.labelled import Labelled
from analysis.manifest import Score
from trainable.data.prepared import PreparedData
from trainable.labelled_part import LabelledPart

# There may be a hundred of them, of a few people each: their intervals would tell nothing.
OF_CLASSES = "class_f1/"


def part_scores(data: PreparedData, part: str, probabilities_NC: np.ndarray) -> dict[str, float]:
    """Return every metric of a part under names such as ``test/f1``.

    Args:
        data: The data of the run.
        part: train, val or test.
        probabilities_NC: float32 [num_images of the part, num_classes].
    """
    return LabelledPart.of(data, part).scores(torch.from_numpy(probabilities_NC))


class Scoring:
    """Every metric of some parts, with intervals from the same resamples of people each time.

    Args:
        data: The images.
    """

    def __init__(self, data: PreparedData) -> None:
        self._data = data
        self._resamples: dict[str, Resamples] = {}

    def scores(self, probabilities: Mapping[str, np.ndarray]) -> dict[str, Score]:
        """Return the scores of predictions under names such as ``test/f1``.

        Args:
            probabilities: float32 [num_images of the part, num_classes] by part.
        """
        return {
            name: Score(value=value, interval=self._interval(part, name, of_part))
            for part, of_part in probabilities.items()
            for name, value in part_scores(self._data, part, of_part).items()
        }

    def _interval(self, part: str, name: str, probabilities_NC: np.ndarray) -> Interval | None:
        metric = name.removeprefix(f"{part}/")
        if metric.startswith(OF_CLASSES):
            return None
        if part not in self._resamples:
            self._resamples[part] = Resamples(Labelled.of(self._data, part))
        return self._resamples[part].interval(metric, probabilities_NC)

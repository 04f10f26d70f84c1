"""Scores of probabilities on a part of a run's data."""

import numpy as np
import torch

from trainable.data.prepared import PreparedData
from trainable.labelled_part import LabelledPart


def part_scores(data: PreparedData, part: str, probabilities_NC: np.ndarray) -> dict[str, float]:
    """Return every metric of a part under names such as ``test/f1``.

    Args:
        data: The data of the run.
        part: train, val or test.
        probabilities_NC: float32 [num_images of the part, num_classes].
    """
    return LabelledPart.of(data, part).scores(torch.from_numpy(probabilities_NC))

"""Scores of probabilities on a part of a run's data."""

import numpy as np
import torch

from analysis.member import choose_device, load_member
from analysis.run_folder import RunFolder
from trainable.data.prepared import PreparedData, read_data
from trainable.labelled_part import LabelledPart


def part_scores(data: PreparedData, part: str, probabilities_NC: np.ndarray) -> dict[str, float]:
    """Return every metric of a part under names such as ``test/f1``.

    Args:
        data: The data of the run.
        part: train, val or test.
        probabilities_NC: float32 [num_images of the part, num_classes].
    """
    return LabelledPart.of(data, part).scores(torch.from_numpy(probabilities_NC))


def test_scores(run: RunFolder, trial_number: int) -> dict[str, float]:
    """Return a trial's scores on the test part, which neither search nor selection may see.

    Raises:
        ConfigError: If the trial has no weights, or its files are damaged.
        SearchError: If the images cannot be read any more.
    """
    data = read_data(run.path)
    folder = run.trial_folder(trial_number)
    member = load_member(folder.config, folder.best_weights, data.label_space, choose_device())
    probabilities_NC = member.probabilities(data.images(member.config.resize), data.rows("test"))
    return part_scores(data, "test", probabilities_NC)


test_scores.__test__ = False  # type: ignore[attr-defined]  # its name is no test's

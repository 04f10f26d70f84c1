"""A part of the data with what is true of its images, for predictions to be compared with."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from trainable.data.index import LabelSpace
from trainable.data.prepared import PreparedData
from trainable.metrics import confusions, score


@dataclass(frozen=True)
class LabelledPart:
    """A part of the data: which images it has, and what is true of them.

    Args:
        part: train, val or test.
        rows: int64 [N], the images' rows in the data.
        labels: int64 [N], their classes.
        groups: For each attribute that the class does not determine int64 [N], the number of
            each image's value.
        label_space: Classes and attributes.
    """

    part: str
    rows: np.ndarray
    labels: Tensor
    groups: dict[str, Tensor]
    label_space: LabelSpace

    @classmethod
    def of(
        cls, data: PreparedData, part: str, device: torch.device | None = None
    ) -> "LabelledPart":
        """Return a part of the data, its labels on a device or the CPU."""
        rows = data.rows(part)
        return cls(
            part,
            rows,
            torch.from_numpy(data.labels()[rows]).to(device),
            {n: torch.from_numpy(of[rows]).to(device) for n, of in data.groups().items()},
            data.label_space,
        )

    def scores(self, probabilities_NC: Tensor) -> dict[str, float]:
        """Return every metric of a prediction under names such as ``val/f1``; none of no images.

        Args:
            probabilities_NC: Probabilities [N, num_classes], on the same device.
        """
        if not len(self.rows):
            return {}
        scores = score(probabilities_NC, self.labels, self.label_space, self.groups)
        return {f"{self.part}/{name}": value for name, value in scores.items()}

    def confusions(self, probabilities_NC: Tensor) -> dict[str, np.ndarray]:
        """Return what was taken for what, by ``label`` and by attribute; see ``confusions``."""
        matrices = confusions(probabilities_NC, self.labels, self.label_space)
        return {name: matrix.cpu().numpy() for name, matrix in matrices.items()}

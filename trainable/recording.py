"""What a trial leaves in its folder: its curve, its best epoch, and pictures of that one."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from trainable.checkpoint import save_weights
from trainable.config import TrialConfig
from trainable.evaluate import Images
from trainable.labelled_part import LabelledPart
from trainable.objective import Objective
from trainable.pictures.confusion import draw_confusion
from trainable.pictures.mistakes import draw_mistakes, most_confident_mistakes
from trainable.tensorboard import CurveWriter, Hyperparameter, write_pictures
from trainable.trial_folder import TrialFolder


class Recorder:
    """Writes the files of one trial, but for the checkpoint that it goes on from.

    Args:
        folder: The trial's folder.
        config: The trial's configuration.
        val: The validation part.
        objective: What says which epoch is the best.
        rows: Metrics of the epochs whose record stands; what the folder has of others is dropped.
    """

    def __init__(
        self,
        folder: TrialFolder,
        config: TrialConfig,
        val: LabelledPart,
        *,
        objective: Objective,
        rows: list[dict[str, float]],
    ) -> None:
        self._folder = folder
        self._part = val
        self._objective = objective
        self.rows = list(rows)
        self._curves = CurveWriter(
            folder.path, epochs_done=len(rows), hyperparameters=hyperparameters(config)
        )

    def write_epoch(self, row: dict[str, float]) -> None:
        """Write the metrics of the next epoch."""
        self.rows.append(row)
        self._folder.write_metrics(self.rows)
        metric = self._objective.metric
        values = np.array([row[metric] for row in self.rows if metric in row])
        best = self._objective.running_best(values)
        self._curves.write(row, best={metric: float(best[-1])} if len(best) else {})

    def write_best(
        self, probabilities_NC: Tensor, weights: dict[str, Tensor], *, epoch: int
    ) -> None:
        """Keep an epoch that is the best so far: its weights, what it predicts, and mistakes.

        Args:
            probabilities_NC: float32 [num_val, num_classes].
            weights: State dict of the network that predicted them.
            epoch: Its number, from 1.
        """
        folder, part = self._folder, self._part
        save_weights(folder.best_weights, weights)
        confusions = part.confusions(probabilities_NC)
        folder.write_confusions(confusions, part.label_space, epoch=epoch)
        # Last, since their epoch says that all of it is there.
        folder.write_probabilities(probabilities_NC.cpu().numpy(), part.rows, epoch=epoch)

    def close(self, images: Images) -> None:
        """Close the event file, and add pictures of the best epoch.

        Args:
            images: All images, by row.
        """
        self._curves.close()
        best = self._folder.read_probabilities()
        if best is not None and len(self._part.rows):
            probabilities_NC, epoch = best
            pictures = best_pictures(probabilities_NC, self._part, images)
            write_pictures(self._folder.path, pictures, epoch=epoch)


def hyperparameters(config: TrialConfig) -> dict[str, Hyperparameter]:
    """Return a configuration by flat names, as TensorBoard can show it.

    A height and width reads ``128x96``; what is not set is left out.
    """
    flat: dict[str, Hyperparameter | list[int] | None] = {}
    for family, value in config.model_dump(mode="json").items():
        if isinstance(value, dict):
            flat |= {f"{family}/{name}": inner for name, inner in value.items()}
        else:
            flat[family] = value
    return {
        name: "x".join(map(str, value)) if isinstance(value, list) else value
        for name, value in flat.items()
        if value is not None
    }


def best_pictures(
    probabilities_NC: np.ndarray, part: LabelledPart, images: Images
) -> Mapping[str, np.ndarray]:
    """Return the confusion matrices and the most confident mistakes of a prediction, drawn.

    Args:
        probabilities_NC: float32 [N, num_classes].
        part: The N images.
        images: All images, by row.

    Returns:
        uint8 [H, W, 3], RGB, by TensorBoard tag; no mistakes where there are none.
    """
    labels = part.label_space
    labels_N = part.labels.cpu().numpy()
    matrices = part.confusions(torch.from_numpy(probabilities_NC).to(part.labels.device))
    pictures = {
        f"val_confusion/{name}": draw_confusion(matrix, labels.names_of(name), title=name)
        for name, matrix in matrices.items()
    }
    if mistakes := most_confident_mistakes(probabilities_NC, labels_N):
        rows = part.rows[[mistake.position for mistake in mistakes]]
        pictures["val_mistakes/most_confident"] = draw_mistakes(
            list(images[rows]), mistakes, labels.classes
        )
    return pictures

"""The folder of one trial: what is where in it, and how its tables are written."""

from collections.abc import Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import pandas as pd

from trainable.data.index import LabelSpace
from trainable.files import write_json, written_aside

CONFUSION_COLUMNS = ("epoch", "attribute", "true", "predicted", "images")
# What numpy raises for files that are no archive of arrays, or a damaged or incomplete one.
DAMAGED_ARRAYS = (OSError, EOFError, ValueError, KeyError, TypeError, BadZipFile)


def trial_id(number: int) -> str:
    """Return the name of a trial's folder.

    Example:
        >>> trial_id(7)
        '0007'
    """
    return f"{number:04d}"


@dataclass(frozen=True)
class TrialFolder:
    """Paths of one trial's files, and their writing.

    Args:
        path: The folder, ``RUN/trials/ID``.
    """

    path: Path

    @classmethod
    def of(cls, run_folder: Path, number: int) -> "TrialFolder":
        """Return the folder of a trial of a run by its number."""
        return cls(run_folder / "trials" / trial_id(number))

    @property
    def config(self) -> Path:
        """The configuration, nested JSON."""
        return self.path / "config.json"

    @property
    def metrics(self) -> Path:
        """The learning curve, a row an epoch."""
        return self.path / "metrics.csv"

    @property
    def probabilities(self) -> Path:
        """Validation probabilities of the best epoch."""
        return self.path / "val_probs.npz"

    @property
    def confusions(self) -> Path:
        """What the best epoch takes for what: a row a true and predicted class that occur."""
        return self.path / "confusion.csv"

    @property
    def error(self) -> Path:
        """Why the trial failed, if it did."""
        return self.path / "error.txt"

    @property
    def checkpoint(self) -> Path:
        """Folder of last and best weights."""
        return self.path / "checkpoint"

    @property
    def best_weights(self) -> Path:
        """Weights of the best epoch."""
        return self.checkpoint / "best.safetensors"

    def write_config(self, config: dict[str, Any]) -> None:
        """Write the configuration as nested JSON."""
        write_json(self.config, config)

    def write_metrics(self, rows: list[dict[str, float]]) -> None:
        """Write the learning curve, replacing the one that is there."""
        with written_aside(self.metrics) as aside:
            pd.DataFrame(rows).to_csv(aside, index=False)

    def read_metrics(self) -> list[dict[str, float]]:
        """Return the rows of the learning curve.

        There are none where the file is damaged: a trial writes it anew from its checkpoint.
        """
        try:
            text = self.metrics.read_text()
            curve = pd.read_csv(StringIO(text)) if text.endswith("\n") else pd.DataFrame()
        except (FileNotFoundError, ValueError):  # pandas' own errors derive from the latter
            return []
        rows: list[dict[str, float]] = curve.to_dict("records")  # type: ignore[assignment]
        return rows if "epoch" in curve else []

    def write_probabilities(
        self, probabilities_NC: np.ndarray, rows_N: np.ndarray, *, epoch: int
    ) -> None:
        """Keep the validation probabilities of the best epoch.

        Args:
            probabilities_NC: float32 [num_val, num_classes], rows sum to 1.
            rows_N: int64 [num_val], the images' row numbers in ``split.csv``.
            epoch: The epoch they are of, from 1.
        """
        with written_aside(self.probabilities) as aside:
            np.savez(aside, probs=probabilities_NC, rows=rows_N, epoch=np.int64(epoch))

    def read_probabilities(self) -> tuple[np.ndarray, int] | None:
        """Return the recorded probabilities and their epoch; None without, or damaged ones."""
        try:
            with np.load(self.probabilities) as recorded:
                return recorded["probs"], int(recorded["epoch"])
        except DAMAGED_ARRAYS:
            return None

    def probabilities_epoch(self) -> int | None:
        """Return the epoch that probabilities and weights are of; None if one is missing."""
        recorded = self.read_probabilities()
        return recorded[1] if recorded is not None and self.best_weights.exists() else None

    def write_confusions(
        self, matrices: Mapping[str, np.ndarray], labels: LabelSpace, *, epoch: int
    ) -> None:
        """Keep what the best epoch takes for what, as ``confusion.csv``.

        Its columns are ``epoch``, ``attribute`` (``label`` for the classes themselves), ``true``
        and ``predicted`` (names of classes or values) and ``images``, how many; pairs that do
        not occur have no row.

        Args:
            matrices: int64 [n, n] by ``label`` or attribute, a row a true class or value.
            labels: Their names.
            epoch: The epoch they are of, from 1.
        """
        rows = [
            (epoch, attribute, names[true], names[predicted], matrix[true, predicted])
            for attribute, matrix in matrices.items()
            for names in [labels.names_of(attribute)]
            for true, predicted in np.argwhere(matrix)
        ]
        with written_aside(self.confusions) as aside:
            pd.DataFrame(rows, columns=list(CONFUSION_COLUMNS)).to_csv(aside, index=False)

    def write_error(self, text: str) -> None:
        """Keep the reason of a failure."""
        with written_aside(self.error) as aside:
            aside.write_text(text.rstrip() + "\n")

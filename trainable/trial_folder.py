"""The folder of one trial: what is where in it, and how its tables are written."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from trainable.files import write_json, written_aside


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

    def read_metrics(self, *, up_to_epoch: int | None = None) -> list[dict[str, float]]:
        """Return the rows of the learning curve, of no epoch after ``up_to_epoch``."""
        if not self.metrics.exists():
            return []
        curve = pd.read_csv(self.metrics)
        if up_to_epoch is not None:
            curve = curve[curve["epoch"] <= up_to_epoch]
        rows: list[dict[str, float]] = curve.to_dict("records")  # type: ignore[assignment]
        return rows

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

    def probabilities_epoch(self) -> int | None:
        """Return the epoch that the recorded probabilities are of; None if there are none."""
        if not (self.probabilities.exists() and self.best_weights.exists()):
            return None
        with np.load(self.probabilities) as recorded:
            return int(recorded["epoch"])

    def write_error(self, text: str) -> None:
        """Keep the reason of a failure."""
        with written_aside(self.error) as aside:
            aside.write_text(text.rstrip() + "\n")

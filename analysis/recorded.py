"""What training recorded of a trial's best epoch: its validation probabilities."""

from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from trainable.data.prepared import PreparedData
from trainable.errors import ConfigError, expected

# What numpy raises for files that are no archive of arrays, or a damaged or incomplete one.
DAMAGED = (OSError, EOFError, ValueError, KeyError, TypeError, BadZipFile)


@dataclass(frozen=True)
class RecordedProbabilities:
    """Validation probabilities of a trial.

    Args:
        probabilities: float32 [num_val, num_classes].
        rows: int64 [num_val], the images' rows in the data.
        epoch: The epoch that they are of, from 1.
    """

    probabilities: np.ndarray
    rows: np.ndarray
    epoch: int


def read_probabilities(file: Path, data: PreparedData) -> RecordedProbabilities:
    """Read a trial's ``val_probs.npz``.

    Raises:
        ConfigError: If it is missing, damaged, or of another split or other classes than the
            data.
    """
    try:
        with np.load(file, allow_pickle=False) as arrays:
            recorded = RecordedProbabilities(arrays["probs"], arrays["rows"], int(arrays["epoch"]))
    except FileNotFoundError as error:
        raise ConfigError(expected(str(file), "recorded probabilities", "no file")) from error
    except DAMAGED as error:
        raise ConfigError(expected(str(file), "recorded probabilities", f"'{error}'")) from error
    _check(file, recorded, data)
    return recorded


def _check(file: Path, recorded: RecordedProbabilities, data: PreparedData) -> None:
    rows_N = data.rows("val")
    if not np.array_equal(recorded.rows, rows_N):
        raise ConfigError(expected(str(file), "the validation part of split.csv", "another one"))
    wanted = (len(rows_N), data.label_space.num_classes)
    shape = recorded.probabilities.shape
    if shape != wanted or not np.isfinite(recorded.probabilities).all():
        what = f"{wanted[0]} x {wanted[1]} finite probabilities"
        raise ConfigError(expected(str(file), what, "x".join(map(str, shape))))

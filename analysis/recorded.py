"""What training recorded of a trial's best epoch: what it predicts, and mistakes."""

from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import pandas as pd

from trainable.data.index import LABEL, LabelSpace
from trainable.data.prepared import PreparedData
from trainable.errors import ConfigError, expected
from trainable.trial_folder import CONFUSION_COLUMNS

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


def read_confusions(file: Path, labels: LabelSpace) -> dict[str, pd.DataFrame]:
    """Read a trial's ``confusion.csv``: what its best epoch takes for what.

    Args:
        file: The trial's file.
        labels: Classes and attributes of the run's data.

    Returns:
        For ``label``, and for each attribute that the class determines, a square table of the
        number of images: a row (``true``) and a column (``predicted``) a class or value, in
        their order.

    Raises:
        ConfigError: If the file is missing, damaged, or of other classes.
    """
    what = f"a table of {', '.join(CONFUSION_COLUMNS)}"
    text = dict.fromkeys(("attribute", "true", "predicted"), str)
    try:
        # A class may be called NA.
        pairs = pd.read_csv(file, dtype=text, keep_default_na=False)[list(CONFUSION_COLUMNS)]
        pairs["images"] = pairs["images"].astype(int)
    except FileNotFoundError as error:
        raise ConfigError(expected(str(file), what, "no file")) from error
    except DAMAGED as error:
        raise ConfigError(expected(str(file), what, f"'{error}'")) from error
    return {
        attribute: _square(file, pairs[pairs["attribute"] == attribute], labels, attribute)
        for attribute in (LABEL, *labels.class_attributes)
    }


def _square(file: Path, pairs: pd.DataFrame, labels: LabelSpace, attribute: str) -> pd.DataFrame:
    names = list(labels.names_of(attribute))
    if unknown := {*pairs["true"], *pairs["predicted"]} - {*names}:
        what = f"values of {attribute} that run.json has"
        raise ConfigError(expected(str(file), what, ", ".join(sorted(unknown))))
    counts = pairs.pivot_table("images", "true", "predicted", aggfunc="sum", fill_value=0)
    return counts.reindex(index=names, columns=names, fill_value=0)


def _check(file: Path, recorded: RecordedProbabilities, data: PreparedData) -> None:
    rows_N = data.rows("val")
    if not np.array_equal(recorded.rows, rows_N):
        raise ConfigError(expected(str(file), "the validation part of split.csv", "another one"))
    wanted = (len(rows_N), data.label_space.num_classes)
    shape = recorded.probabilities.shape
    if shape != wanted or not np.isfinite(recorded.probabilities).all():
        what = f"{wanted[0]} x {wanted[1]} finite probabilities"
        raise ConfigError(expected(str(file), what, "x".join(map(str, shape))))

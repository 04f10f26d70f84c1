"""What is written of predictions: a table of classes and probabilities, or a form filled in."""

from pathlib import Path

import numpy as np
import pandas as pd

from analysis.image_list import ANSWER, ImageList
from analysis.output import output
from trainable.data.index import LabelSpace

SUFFIXES = (".csv", ".parquet")


def prediction_table(
    images: ImageList, probabilities_NC: np.ndarray, labels: LabelSpace
) -> pd.DataFrame:
    """Return the predictions of a list of images, in its order.

    Args:
        images: The list.
        probabilities_NC: float32 [num_images, num_classes]; NaN for an image without any.
        labels: Classes and attributes.

    Returns:
        Of a form, the same columns with the class number in ``ans``. Otherwise a table with the
        columns ``path``, ``class``, ``prob/<class>`` in [0, 1], and for each attribute that the
        class determines ``attribute/<name>``, the value that the predicted class has, as metrics
        count it, and ``attribute_prob/<name>/<value>``, the sum over the classes with the value.
        That sum may be highest for another value: many unlikely classes can outweigh the
        likeliest. What is not known of an image is missing.
    """
    known_N = ~np.isnan(probabilities_NC).any(axis=1)
    class_N = np.where(known_N, np.nan_to_num(probabilities_NC).argmax(axis=1), 0)
    if images.form is not None:
        return images.form.assign(**{ANSWER: pd.Series(class_N, dtype="Int64").where(known_N)})
    table = {"path": pd.Series(images.names), "class": _named(labels.classes, class_N, known_N)}
    for number, name in enumerate(labels.classes):
        table[f"prob/{name}"] = pd.Series(probabilities_NC[:, number])
    for name, (values, of_class) in labels.class_attributes.items():
        value_C = np.array(of_class)
        table[f"attribute/{name}"] = _named(values, value_C[class_N], known_N)
        for number, value in enumerate(values):
            summed_N = probabilities_NC[:, value_C == number].sum(axis=1)
            table[f"attribute_prob/{name}/{value}"] = pd.Series(summed_N).where(known_N)
    return pd.DataFrame(table)


def _named(names: tuple[str, ...], number_N: np.ndarray, known_N: np.ndarray) -> pd.Series:
    return pd.Series(np.array(names, object)[number_N]).where(known_N, None)


def write_predictions(table: pd.DataFrame, file: Path) -> None:
    """Write the table as CSV or Parquet, by the file's suffix, whole or not at all."""
    with output(file) as aside:
        if file.suffix == ".parquet":
            table.to_parquet(aside, index=False)
        else:
            table.to_csv(aside, index=False)

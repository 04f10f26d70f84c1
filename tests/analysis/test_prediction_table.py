from pathlib import Path

import numpy as np
import pytest

from analysis.image_list import ImageList
from analysis.prediction_table import prediction_table
from trainable.data.index import Attribute, LabelSpace

LABELS = LabelSpace(
    ("a", "b", "c"),
    {"warm": Attribute(("no", "yes"), (0, 1, 1)), "camera": Attribute(("old", "new"))},
)


def test_attribute_values_are_as_likely_as_their_classes_together():
    images = ImageList(("1.png", "2.png", "3.png"), tuple(map(Path, "123")))
    missing = [np.nan] * 3
    probabilities = np.array([[0.4, 0.3, 0.3], [0.1, 0.2, 0.7], missing], np.float32)
    table = prediction_table(images, probabilities, LABELS)
    assert list(table["attribute_prob/warm/no"][:2]) == pytest.approx([0.4, 0.1])
    assert list(table["attribute_prob/warm/yes"][:2]) == pytest.approx([0.6, 0.9])
    # Of the likeliest class, which metrics count: two others together outweigh the first one.
    assert list(table["attribute/warm"][:2]) == ["no", "yes"]
    assert table.loc[2].drop("path").isna().all()
    assert not [name for name in table if "camera" in name]

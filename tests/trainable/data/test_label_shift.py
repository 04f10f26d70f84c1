from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from trainable.data.index import Attribute, DataIndex
from trainable.data.label_shift import shifted_labels
from trainable.errors import ConfigError

CLASSES = ("m_young", "m_middle", "m_old", "f_young", "f_middle", "f_old")
AGE = Attribute(("young", "middle", "old"), (0, 1, 2, 0, 1, 2))
GENDER = Attribute(("m", "f"), (0, 0, 0, 1, 1, 1))
YEARS = [20, 57, 58, 59, 60, 58]
LABELS = ["m_young", "m_middle", "m_middle", "f_middle", "f_old", "f_middle"]


@pytest.fixture
def index():
    table = pd.DataFrame({"path": [f"{i}.png" for i in range(6)], "label": LABELS})
    table = table.assign(person=table["path"], part="train", years=YEARS)
    return DataIndex(Path("photos"), table, CLASSES, {"age": AGE, "gender": GENDER})


def test_people_from_the_age_on_are_old_and_stay_what_else_they_are(index):
    shifted = shifted_labels(index, np.arange(6), 58)
    assert [CLASSES[c] for c in shifted] == [
        "m_young",
        "m_middle",
        "m_old",
        "f_old",
        "f_old",
        "f_old",
    ]


def test_only_the_rows_wanted_are_returned(index):
    assert [CLASSES[c] for c in shifted_labels(index, np.array([2, 0]), 58)] == [
        "m_old",
        "m_young",
    ]


def test_at_the_groups_own_border_nothing_changes(index):
    np.testing.assert_array_equal(shifted_labels(index, np.arange(6), 60), index.labels())


def test_data_without_ages_is_refused(index):
    without = index.with_table(index.table.drop(columns="years"))
    with pytest.raises(ConfigError, match="label_shift: expected data with a column 'years'"):
        shifted_labels(without, np.arange(6), 58)

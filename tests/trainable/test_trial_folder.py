import numpy as np
import pandas as pd

from trainable.data.index import Attribute, LabelSpace
from trainable.trial_folder import TrialFolder


def test_a_curve_that_is_read_and_written_again_keeps_its_bits(tmp_path):
    folder = TrialFolder(tmp_path)
    values = np.random.default_rng(0).normal(size=500) * 1e-3
    rows = [{"epoch": epoch, "val/f1": value} for epoch, value in enumerate(values.tolist(), 1)]
    folder.write_metrics(rows)
    assert folder.read_metrics() == rows


def test_a_column_that_only_some_epochs_have_is_empty_in_the_others(tmp_path):
    folder = TrialFolder(tmp_path)
    folder.write_metrics([{"epoch": 1}, {"epoch": 2, "val/class_f1/rare": 0.5}])
    column = pd.read_csv(folder.metrics)["val/class_f1/rare"]
    assert column.isna().tolist() == [True, False]


def test_confusions_have_a_row_for_what_occurs(tmp_path):
    folder = TrialFolder(tmp_path)
    labels = LabelSpace(("NA", 'a, "b"'), {"age": Attribute(("old",), (0, 0))})
    matrices = {"label": np.array([[2, 0], [1, 0]]), "age": np.array([[3]])}
    folder.write_confusions(matrices, labels, epoch=7)
    table = pd.read_csv(folder.confusions, keep_default_na=False)
    assert list(table.columns) == ["epoch", "attribute", "true", "predicted", "images"]
    assert table.to_numpy().tolist() == [
        [7, "label", "NA", "NA", 2],
        [7, "label", 'a, "b"', "NA", 1],
        [7, "age", "old", "old", 3],
    ]


def test_no_probabilities_are_none(tmp_path):
    assert TrialFolder(tmp_path).read_probabilities() is None
    assert TrialFolder(tmp_path).probabilities_epoch() is None

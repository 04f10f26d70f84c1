import numpy as np
import pytest

from analysis.recorded import read_confusions
from trainable.data.index import Attribute, LabelSpace
from trainable.errors import ConfigError
from trainable.trial_folder import TrialFolder

LABELS = LabelSpace(("NA", "1"), {"age": Attribute(("old",), (0, 0)), "camera": Attribute(("x",))})


@pytest.fixture
def file(tmp_path):
    folder = TrialFolder(tmp_path)
    matrices = {"label": np.array([[2, 0], [1, 0]]), "age": np.array([[3]])}
    folder.write_confusions(matrices, LABELS, epoch=7)
    return folder.confusions


def test_pairs_that_do_not_occur_are_zeros(file):
    tables = read_confusions(file, LABELS)
    assert tables["label"].to_numpy().tolist() == [[2, 0], [1, 0]]
    assert tables["label"].loc["1", "NA"] == 1
    assert tables["age"].to_numpy().tolist() == [[3]]
    assert "camera" not in tables


def test_a_trial_without_the_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"confusion.csv: expected a table of .*, got no file"):
        read_confusions(tmp_path / "confusion.csv", LABELS)


@pytest.mark.parametrize(
    "content",
    ["", "epoch,attribute\n1,label\n", "epoch,attribute,true,predicted,images\n1,label,1,1,x\n"],
)
def test_a_damaged_file_is_named(file, content):
    file.write_text(content)
    with pytest.raises(ConfigError, match=r"confusion.csv: expected a table of epoch, attribute"):
        read_confusions(file, LABELS)


def test_a_file_of_other_classes_is_refused(file):
    other = LabelSpace(("NA", "two"), LABELS.attributes)
    with pytest.raises(ConfigError, match=r"expected values of label that run.json has, got 1\."):
        read_confusions(file, other)

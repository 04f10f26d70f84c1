from pathlib import Path

import pandas as pd
import pytest

from trainable.data.index import DataIndex
from trainable.data.prepared import PreparedData
from trainable.data.resplit import person_folds, without_validation
from trainable.data.split import split_by_person
from trainable.errors import ConfigError

# People by the classes of their two images: few are old, as in the field.
GROUPS = {
    ("young", "young masked"): 120,
    ("middle", "middle masked"): 70,
    ("old", "old masked"): 10,
}


@pytest.fixture
def faces():
    """Return 200 people with two images each, split as a search does; there are no files."""
    rows = [
        (f"{label}{number}.jpg", label, f"{labels[0]}{number}", "")
        for labels, count in GROUPS.items()
        for number in range(count)
        for label in labels
    ]
    table = pd.DataFrame(rows, columns=["path", "label", "person", "part"])
    classes = tuple(label for labels in GROUPS for label in labels)
    index = split_by_person(DataIndex(Path("photos"), table, classes), seed=0)
    return PreparedData(index, "0" * 16, "photos", Path("cache"))


def people(data, part):
    table = data.index.table
    return set(table.loc[table["part"] == part, "person"])


def test_without_validation_its_people_are_for_training_and_test_stays(faces):
    merged = without_validation(faces)
    assert people(merged, "train") == people(faces, "train") | people(faces, "val")
    assert people(merged, "test") == people(faces, "test")
    assert len(merged.rows("val")) == 0
    assert merged.index.table["path"].equals(faces.index.table["path"])


def test_everyone_but_the_test_people_is_left_out_of_just_one_fold(faces):
    folds = list(person_folds(faces, 4, seed=0))
    left_out = [people(fold, "val") for fold in folds]
    everyone = people(faces, "train") | people(faces, "val")
    assert set.union(*left_out) == everyone
    assert sum(map(len, left_out)) == len(everyone)
    for fold, out in zip(folds, left_out, strict=True):
        assert people(fold, "train") == everyone - out
        assert people(fold, "test") == people(faces, "test")


def test_each_fold_has_its_share_of_every_class(faces):
    """Of 96 young, 56 middle and 8 old people who are not in the test part, a quarter each."""
    for fold in person_folds(faces, 4, seed=1):
        counts = fold.index.table.query("part == 'val'")["label"].value_counts()
        assert counts["young"] == counts["young masked"] == 24
        assert counts["middle"] == 14
        assert counts["old"] == 2


def test_folds_depend_on_the_seed_alone(faces):
    tables = [next(person_folds(faces, 3, seed=seed)).index.table for seed in (0, 0, 1)]
    assert tables[0].equals(tables[1])
    assert not tables[0].equals(tables[2])


def test_more_folds_than_people_are_refused(faces):
    with pytest.raises(ConfigError, match="--folds: expected at most 160, one a person, got 161"):
        list(person_folds(faces, 161, seed=0))

"""The folder of a trial of drawn people, with an attribute that the class does not determine."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import confusion_matrix, f1_score
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from analysis.recorded import read_confusions
from trainable.config import parse_config
from trainable.data.index import Attribute
from trainable.data.prepared import prepare_data
from trainable.labelled_part import LabelledPart
from trainable.recording import hyperparameters
from trainable.trial import Trial
from trainable.trial_folder import TrialFolder

FLAT = {
    "backbone/name": "test_efficientnet",
    "backbone/pretrained": "small",
    "resize": "32x24",
    "optimizer/name": "adamw",
    "optimizer/lr": 0.003,
    "loss/name": "focal",
    "batch_size": 16,
    "epochs": 4,
}
PICTURES = {f"val_confusion/{name}" for name in ("label", "mask", "gender", "age")}


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """Return photos of 40 drawn people, each taken by one of two cameras."""
    cache = tmp_path_factory.mktemp("people")
    data = prepare_data("faces:people=40", cache_dir=cache, seed=0)
    index = data.index
    camera = Attribute(("new", "old", "unused"))
    table = index.table.assign(camera=np.resize(["old", "new", "old"], len(index)))
    attributes = index.attributes | {"camera": camera}
    return dataclasses.replace(
        data, index=dataclasses.replace(index, table=table, attributes=attributes)
    )


@pytest.fixture(scope="module")
def folder(people, tmp_path_factory):
    """Return the folder of a trial that was interrupted after two of four epochs."""
    path = tmp_path_factory.mktemp("trials") / "0000"
    for _ in range(2):
        trial = Trial(parse_config(FLAT), people, path)
        trial.run_epoch()
        trial.run_epoch()
        trial.close()
    return TrialFolder(path)


@pytest.fixture
def events(folder):
    return EventAccumulator(str(folder.path)).Reload()


@pytest.fixture
def best(folder, people):
    """Return (true, predicted) classes of the validation part at the best epoch."""
    probabilities, _ = folder.read_probabilities()
    return people.labels()[people.rows("val")], probabilities.argmax(axis=1)


def test_the_curve_has_f1_by_class_attribute_and_group(folder, best):
    curve = pd.read_csv(folder.metrics)
    row = curve.loc[curve["val/f1"].idxmax()]
    true, predicted = best
    assert row["val/f1"] == pytest.approx(f1_score(true, predicted, average="macro"))
    by_class = f1_score(true, predicted, average=None, labels=[0, 1])
    names = ["worn_male_under30", "worn_male_30to59"]
    assert row[[f"val/class_f1/{name}" for name in names]].tolist() == pytest.approx(by_class)
    assert {"val/f1/camera/new", "val/f1/camera/old"} <= set(curve.columns)
    assert "val/f1/camera/unused" not in curve.columns


def test_what_was_taken_for_what_is_a_table_that_analysis_reads(folder, people, best):
    tables = read_confusions(folder.confusions, people.label_space)
    assert list(tables) == ["label", "mask", "gender", "age"]
    expected = confusion_matrix(*best, labels=range(18))
    np.testing.assert_array_equal(tables["label"], expected)
    assert tables["label"].index.tolist() == list(people.label_space.classes)
    assert tables["mask"].to_numpy().sum() == len(people.rows("val"))


def test_what_was_taken_for_what_follows_from_the_recorded_probabilities(folder, people):
    probabilities, epoch = folder.read_probabilities()
    part = LabelledPart.of(people, "val")
    matrices = part.confusions(torch.from_numpy(probabilities))
    tables = read_confusions(folder.confusions, people.label_space)
    assert matrices.keys() == tables.keys()
    for name, matrix in matrices.items():
        np.testing.assert_array_equal(matrix, tables[name])
    assert set(pd.read_csv(folder.confusions)["epoch"]) == {epoch}


def test_tensorboard_has_pictures_of_the_best_epoch_alone(folder, events):
    _, epoch = folder.read_probabilities()
    pictures = PICTURES | {"val_mistakes/most_confident"}
    assert set(events.Tags()["images"]) == pictures
    assert {e.step for name in pictures for e in events.Images(name)} == {epoch}
    assert all(len(events.Images(name)) == 1 for name in pictures)


def test_tensorboard_has_the_curve_of_an_interrupted_trial_once(folder, events):
    curve = pd.read_csv(folder.metrics)
    shown = events.Scalars("val/f1")
    assert [event.step for event in shown] == [1, 2, 3, 4]
    assert [event.value for event in shown] == pytest.approx(curve["val/f1"].tolist())
    best = [event.value for event in events.Scalars("best/val/f1")]
    assert best == pytest.approx(curve["val/f1"].cummax().tolist())


def test_events_of_a_trial_are_small(folder):
    files = folder.path.glob("events.out.tfevents.*")
    assert 20_000 < sum(file.stat().st_size for file in files) < 400_000


def test_a_kill_before_an_epochs_row_is_written_leaves_no_gap(coloured, config, tmp_path):
    trial = Trial(config(), coloured, tmp_path)
    trial.run_epoch()
    trial.run_epoch()
    folder = TrialFolder(tmp_path)
    rows = folder.read_metrics()
    folder.write_metrics(rows[:1])
    for file in tmp_path.glob("events.out.tfevents.*"):
        content = file.read_bytes()
        file.write_bytes(content[: len(content) // 2])  # within what it says of an epoch
    again = Trial(config(), coloured, tmp_path)
    assert again.last_row()["val/f1"] == rows[1]["val/f1"]
    again.close()
    assert folder.read_metrics() == rows
    steps = [e.step for e in EventAccumulator(str(tmp_path)).Reload().Scalars("val/f1")]
    assert steps[-1] == 2
    assert steps == sorted(set(steps))


def test_a_trial_without_mistakes_has_no_picture_of_them(coloured, config, tmp_path):
    trial = Trial(config(epochs=1), coloured, tmp_path)
    trial.run_epoch()
    folder = TrialFolder(tmp_path)
    rows = coloured.rows("val")
    folder.write_probabilities(np.eye(3, dtype=np.float32)[coloured.labels()[rows]], rows, epoch=1)
    trial.close()
    tags = EventAccumulator(str(tmp_path)).Reload().Tags()["images"]
    assert tags == ["val_confusion/label"]


def test_a_trial_that_never_ended_an_epoch_closes_without_pictures(coloured, config, tmp_path):
    Trial(config(), coloured, tmp_path).close()
    assert EventAccumulator(str(tmp_path)).Reload().Tags()["images"] == []


def test_hyperparameters_are_flat_and_what_is_not_set_is_left_out():
    flat = hyperparameters(parse_config(FLAT))
    assert flat["optimizer/lr"] == 0.003
    assert flat["loss/name"] == "focal"
    assert flat["loss/gamma"] == 2.0
    assert flat["resize"] == "32x24"
    assert "ema" not in flat
    assert all(isinstance(value, bool | int | float | str) for value in flat.values())

"""Event files as TensorBoard itself reads them."""

import io

import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import metadata

from trainable.tensorboard import CurveWriter, tag, write_pictures

SESSION = "_hparams_/session_start_info"


def loaded(folder):
    events = EventAccumulator(str(folder), size_guidance={"scalars": 0, "images": 0})
    return events.Reload()


def curve(folder, name):
    return [(event.step, event.value) for event in loaded(folder).Scalars(name)]


def write_epochs(folder, epochs, *, epochs_done=0, value=0.0, **hyperparameters):
    writer = CurveWriter(folder, epochs_done=epochs_done, hyperparameters=hyperparameters)
    for epoch in epochs:
        writer.write({"epoch": epoch, "val/f1": value + epoch}, best={"val/f1": value + epoch})
    writer.close()


@pytest.mark.parametrize(
    ("metric", "group"),
    [
        ("val/f1", "val"),
        ("train/loss", "train"),
        ("lr", "train"),
        ("val/f1/age", "val_attributes"),
        ("val/f1/age/old", "val_attributes"),
        ("val/class_f1/old", "val_classes"),
        ("seconds", "work"),
    ],
)
def test_metrics_are_in_groups(metric, group):
    assert tag(metric).partition("/")[0] == group


def test_no_two_metrics_share_a_tag():
    metrics = ["val/f1", "val/f1/f1", "val/class_f1/f1", "val/f1/f1/f1", "lr", "loss"]
    assert len({tag(metric) for metric in metrics}) == len(metrics)


def test_epochs_are_steps(tmp_path):
    write_epochs(tmp_path, [1, 2, 3])
    assert curve(tmp_path, "val/f1") == [(1, 1), (2, 2), (3, 3)]
    assert curve(tmp_path, "best/val/f1") == [(1, 1), (2, 2), (3, 3)]


def test_a_curve_that_goes_on_within_a_second_has_each_step_once(tmp_path):
    write_epochs(tmp_path, [1, 2, 3], lr=0.1)
    write_epochs(tmp_path, [2, 3, 4], epochs_done=1, value=0.5, lr=0.1)
    assert curve(tmp_path, "val/f1") == [(1, 1), (2, 2.5), (3, 3.5), (4, 4.5)]
    assert SESSION in loaded(tmp_path).summary_metadata


def test_hyperparameters_are_a_session_of_the_trials_own_run(tmp_path):
    write_epochs(tmp_path, [1], **{"optimizer/name": "sgd", "optimizer/lr": 0.1, "nesterov": True})
    content = loaded(tmp_path).summary_metadata[SESSION].plugin_data.content
    found = metadata.parse_session_start_info_plugin_data(content).hparams
    assert found["optimizer/name"].string_value == "sgd"
    assert found["optimizer/lr"].number_value == 0.1
    assert found["nesterov"].bool_value is True
    assert [path for path in tmp_path.iterdir() if path.is_dir()] == []


def test_the_first_metric_of_the_table_of_hyperparameters_is_the_best_value(tmp_path):
    write_epochs(tmp_path, [1])
    assert min(loaded(tmp_path).Tags()["scalars"]) == "best/val/f1"


def test_pictures_replace_earlier_ones(tmp_path):
    write_pictures(tmp_path, {"val_confusion/label": np.zeros((4, 6, 3), np.uint8)}, epoch=1)
    picture = np.full((4, 6, 3), 200, np.uint8)
    write_pictures(tmp_path, {"val_confusion/label": picture}, epoch=3)
    (event,) = loaded(tmp_path).Images("val_confusion/label")
    assert (event.step, event.height, event.width) == (3, 4, 6)
    shown = Image.open(io.BytesIO(event.encoded_image_string)).convert("RGB")
    np.testing.assert_array_equal(np.asarray(shown), picture)


def test_a_trial_that_goes_on_drops_pictures_of_an_epoch_that_may_be_beaten(tmp_path):
    write_epochs(tmp_path, [1, 2])
    write_pictures(tmp_path, {"val_confusion/label": np.zeros((4, 6, 3), np.uint8)}, epoch=2)
    write_epochs(tmp_path, [2, 3], epochs_done=1)
    assert loaded(tmp_path).Tags()["images"] == []
    assert curve(tmp_path, "val/f1") == [(1, 1), (2, 2), (3, 3)]


def test_photographs_are_small_and_drawings_are_sharp(tmp_path):
    rng = np.random.default_rng(0)
    photograph = rng.integers(0, 256, (300, 400, 3), dtype=np.uint8)
    drawing = np.full((300, 400, 3), 255, np.uint8)
    drawing[100:200, 100:200] = 0
    write_pictures(tmp_path, {"photograph": photograph, "drawing": drawing}, epoch=1)
    events = loaded(tmp_path)
    (photograph_event,), (drawing_event,) = events.Images("photograph"), events.Images("drawing")
    assert len(photograph_event.encoded_image_string) < photograph.nbytes / 2
    shown = Image.open(io.BytesIO(drawing_event.encoded_image_string))
    assert shown.format == "PNG"
    np.testing.assert_array_equal(np.asarray(shown.convert("RGB")), drawing)

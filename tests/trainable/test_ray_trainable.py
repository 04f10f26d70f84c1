"""The trainable as Ray calls it, without a cluster."""

import numpy as np
import pandas as pd
import pytest

from trainable.data.prepared import write_data
from trainable.files import write_json
from trainable.ray_trainable import TrainTrial

FLAT = {
    "backbone/name": "test_efficientnet",
    "resize": "32x24",
    "optimizer/name": "adamw",
    "optimizer/lr": 0.01,
    "epochs": 2,
}


@pytest.fixture
def run_folder(coloured, tmp_path):
    write_json(tmp_path / "run.json", {"data": write_data(tmp_path, coloured)})
    return tmp_path


@pytest.fixture
def message(run_folder):
    """Return a function that makes what the search passes to a worker."""

    def make(number, **changes):
        return {
            "number": number,
            "config": FLAT | changes,
            "run_folder": str(run_folder),
            "metric": "val/f1",
            "cpus": 1,
            "gpus": 0,
        }

    return make


def test_steps_are_epochs_until_the_trial_is_finished(message):
    worker = TrainTrial(message(0))
    first, second = worker.train(), worker.train()
    worker.stop()
    assert (first["epoch"], first["finished"], first["done"]) == (1, "", False)
    assert (second["epoch"], second["finished"], second["done"]) == (2, "epochs", True)


def test_a_worker_that_is_not_used_leaves_the_folder_alone(message, run_folder):
    TrainTrial(message(0)).stop()
    assert not (run_folder / "trials" / "0000").exists()


def test_a_reused_worker_gives_the_same_bits_as_a_new_one(message, run_folder):
    worker = TrainTrial(message(0, seed=3))
    worker.train()
    assert worker.reset(message(1))
    worker.train()
    worker.stop()
    alone = TrainTrial(message(2))
    alone.train()
    alone.stop()
    reused, new = (np.load(run_folder / "trials" / n / "val_probs.npz") for n in ("0001", "0002"))
    np.testing.assert_array_equal(reused["probs"], new["probs"])


def test_a_new_worker_goes_on_from_the_trials_own_checkpoint(message, run_folder):
    first = TrainTrial(message(0))
    first.train()
    first.stop()
    again = TrainTrial(message(0))
    assert again.train()["epoch"] == 2
    again.stop()
    assert pd.read_csv(run_folder / "trials" / "0000" / "metrics.csv")["epoch"].tolist() == [1, 2]


def test_a_finished_trial_reports_its_last_epoch_again(message):
    first = TrainTrial(message(0))
    first.train(), first.train()
    first.stop()
    again = TrainTrial(message(0))
    result = again.train()
    again.stop()
    assert (result["epoch"], result["finished"]) == (2, "epochs")


def test_a_configuration_that_cannot_be_trained_is_a_result(message, run_folder):
    worker = TrainTrial(message(0, label_shift=58))
    result = worker.train()
    worker.stop()
    assert result["done"]
    assert result["failed"].startswith("label_shift: expected data with a column 'years'")
    assert (run_folder / "trials" / "0000" / "error.txt").read_text().startswith("label_shift")


def test_a_damaged_checkpoint_is_an_error_that_is_written_down(message, run_folder):
    first = TrainTrial(message(0))
    first.train()
    first.stop()
    state = run_folder / "trials" / "0000" / "checkpoint" / "last-00001" / "state.pt"
    state.write_bytes(b"damaged")
    again = TrainTrial(message(0))
    with pytest.raises(Exception, match=r"weights_only|Weights only|Unsupported|invalid"):
        again.train()
    again.stop()
    assert "Traceback" in (run_folder / "trials" / "0000" / "error.txt").read_text()

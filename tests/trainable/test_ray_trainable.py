"""The trainable as Ray calls it, without a cluster."""

import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from trainable.checkpoint import Checkpoint, save_last
from trainable.measurements import Measurements
from trainable.ownership import Ownership
from trainable.pretrained.local_files import SMALL
from trainable.ray_trainable import TrainTrial
from trainable.trial_folder import TrialFolder

MIB = 2**20


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


def test_a_folder_of_weights_reaches_the_trial(message, run_folder):
    hub = {"backbone/pretrained": "hub"}
    worker = TrainTrial(message(0, **hub) | {"weights_dir": str(run_folder / "weights")})
    result = worker.train()
    worker.stop()
    missing = f"expected weights of test_efficientnet in {run_folder / 'weights'}, got no such"
    assert missing in result["failed"]
    (run_folder / "weights").mkdir()
    shutil.copyfile(SMALL, run_folder / "weights" / "test_efficientnet.safetensors")
    worker = TrainTrial(message(1, **hub) | {"weights_dir": str(run_folder / "weights")})
    assert worker.train()["failed"] == ""
    worker.stop()
    shutil.rmtree(run_folder / "weights")
    again = TrainTrial(message(1, **hub) | {"weights_dir": str(run_folder / "weights")})
    assert again.train()["epoch"] == 2
    again.stop()


def test_a_configuration_that_cannot_be_trained_is_a_result(message, run_folder):
    worker = TrainTrial(message(0, label_shift=58))
    result = worker.train()
    worker.stop()
    assert result["done"]
    assert result["failed"].startswith("label_shift: expected data with a column 'years'")
    assert (run_folder / "trials" / "0000" / "error.txt").read_text().startswith("label_shift")


def test_after_a_damaged_checkpoint_a_trial_starts_anew_and_says_so(message, run_folder):
    first = TrainTrial(message(0))
    first.train()
    first.stop()
    folder = TrialFolder.of(run_folder, 0)
    with np.load(folder.probabilities) as recorded:
        before = recorded["probs"]
    (folder.checkpoint / "last-00001" / "state.pt").write_bytes(b"damaged")
    again = TrainTrial(message(0))
    result = again.train()
    assert (result["epoch"], result["failed"]) == (1, "")
    assert result["note"] == "its last checkpoint is damaged: it goes on after epoch 0."
    assert again.train()["note"] == ""
    again.stop()
    assert pd.read_csv(folder.metrics)["epoch"].tolist() == [1, 2]
    with np.load(folder.probabilities) as recorded:
        assert recorded["epoch"] == 2 or np.array_equal(recorded["probs"], before)


@pytest.mark.parametrize(
    ("name", "content"),
    [("metrics.csv", b""), ("metrics.csv", b"epoch,val/f1\n1,0."), ("val_probs.npz", b"PK\x03")],
)
def test_damaged_tables_are_written_anew_from_the_checkpoint(message, run_folder, name, content):
    first = TrainTrial(message(0))
    first.train()
    first.stop()
    file = run_folder / "trials" / "0000" / name
    whole = file.read_bytes()
    file.write_bytes(content)
    again = TrainTrial(message(0))
    again.train()
    again.stop()
    if name == "metrics.csv":
        assert file.read_bytes().startswith(whole)
    else:
        with np.load(file) as recorded:
            assert np.isfinite(recorded["probs"]).all()


def test_a_worker_whose_trial_was_given_away_ends_and_writes_no_error(message, run_folder):
    worker = TrainTrial(message(0))
    worker.train()
    folder = run_folder / "trials" / "0000"
    Ownership(folder)
    with pytest.raises(SystemExit, match="another worker's by now"):
        worker.train()
    assert not (folder / "error.txt").exists()


def test_an_unexpected_error_is_kept_with_its_traceback(message, run_folder):
    (run_folder / "trials" / "0000" / "checkpoint").mkdir(parents=True)
    save_last(run_folder / "trials" / "0000" / "checkpoint", Checkpoint(1, {}, {}))
    worker = TrainTrial(message(0))
    with pytest.raises(KeyError, match="rows"):
        worker.train()
    worker.stop()
    text = (run_folder / "trials" / "0000" / "error.txt").read_text()
    assert text.startswith("Traceback")
    assert text.endswith("KeyError: 'rows'\n")


def test_a_lack_of_memory_that_no_parts_mend_fails_the_trial_with_one_line(
    message, run_folder, monkeypatch
):
    def run_out(optimizer, closure=None):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    monkeypatch.setattr(torch.optim.AdamW, "step", run_out)
    worker = TrainTrial(message(0))
    result = worker.train()
    worker.stop()
    assert result["failed"].startswith(
        "memory: expected memory for the network and its training, got 'CUDA out of memory."
    )
    error = (run_folder / "trials" / "0000" / "error.txt").read_text()
    assert error == f"{result['failed']}\n"


@pytest.fixture
def shared(message, run_folder, coloured, monkeypatch):
    """Return a function that makes a worker with a share of a simulated GPU of 40 MiB."""
    monkeypatch.setenv("SEARCH_SIMULATED_GPUS", "1x40MiB")

    def make(number, share, **changes):
        changes = {"resize": "64x48", "batch_size": 16} | changes
        places = {"gpus": share, "measure_in": str(run_folder / "cache")}
        return TrainTrial(message(number, **changes) | places)

    return make


def test_where_gpus_are_shared_a_trial_first_says_what_it_needs(shared):
    worker = shared(0, 0.5)
    found = worker.train()["measured"]
    assert found.gpu_bytes == 40 * MIB
    assert 0.3 * found.gpu_bytes < found.needed_bytes < 0.5 * found.gpu_bytes
    assert worker.train()["epoch"] == 1
    worker.stop()
    again = shared(1, 0.25)
    assert again.train()["measured"] == found  # read, for a quarter would not suffice
    again.stop()


def test_a_trial_that_runs_out_of_its_share_says_so_and_goes_on_with_more(shared, run_folder):
    cache = Measurements(run_folder / "cache")
    first = shared(0, 0.5)
    found = first.train()["measured"]
    first.train()
    first.stop()
    cache.write(replace(found, needed_bytes=1))
    less = shared(0, 0.25)
    assert less.train()["measured"].needed_bytes == 1
    result = less.train()
    less.stop()
    assert result["ran_out"]
    assert result["failed"] == ""
    assert result["measured"].needed_bytes == found.gpu_bytes // 2
    assert cache.read(found.workload, found.gpu) == result["measured"]
    more = shared(0, 0.5)
    assert "measured" in more.train()
    last = more.train()
    more.stop()
    assert (last["epoch"], last["num_micro_batches"], last["finished"]) == (2, 1, "epochs")


def test_with_a_whole_gpu_a_trial_goes_on_in_parts(shared):
    worker = shared(0, 1, batch_size=57)
    assert worker.train()["measured"].needed_bytes > 0
    assert worker.train()["num_micro_batches"] == 2
    worker.stop()

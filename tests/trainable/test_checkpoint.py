import os
import pickle
import shutil

import pytest
import torch

from trainable.checkpoint import Checkpoint, drop_last, load_last, save_last


def checkpoint(epoch):
    return Checkpoint(epoch, {"w": torch.full((3,), float(epoch))}, {"lr": 0.1 * epoch})


def test_the_newest_checkpoint_is_read_and_older_ones_are_dropped(tmp_path):
    save_last(tmp_path, checkpoint(1))
    save_last(tmp_path, checkpoint(2))
    read = load_last(tmp_path)
    assert (read.epoch, read.state) == (2, {"lr": 0.2})
    assert torch.equal(read.model["w"], torch.full((3,), 2.0))
    assert [path.name for path in tmp_path.iterdir()] == ["last-00002"]


def test_no_checkpoint_is_none(tmp_path):
    assert load_last(tmp_path / "absent") is None


def test_a_kill_before_the_rename_leaves_the_earlier_checkpoint(tmp_path):
    save_last(tmp_path, checkpoint(1))
    # What a process leaves that is killed while it writes the next one.
    shutil.copytree(tmp_path / "last-00001", tmp_path / ".last-00002-abc")
    os.truncate(tmp_path / ".last-00002-abc" / "state.pt", 5)
    assert load_last(tmp_path).epoch == 1


def test_a_kill_before_older_ones_are_dropped_leaves_the_newer(tmp_path):
    save_last(tmp_path, checkpoint(1))
    shutil.copytree(tmp_path / "last-00001", tmp_path / "kept")
    save_last(tmp_path, checkpoint(2))
    (tmp_path / "kept").rename(tmp_path / "last-00001")
    assert load_last(tmp_path).epoch == 2


def test_an_epoch_written_before_is_replaced(tmp_path):
    save_last(tmp_path, checkpoint(1))
    save_last(tmp_path, Checkpoint(1, {"w": torch.zeros(2)}, {}))
    assert torch.equal(load_last(tmp_path).model["w"], torch.zeros(2))


class Harmful:
    """Would run code when unpickled."""

    def __reduce__(self):
        return os.system, ("true",)


def test_a_state_that_would_run_code_is_refused(tmp_path):
    save_last(tmp_path, checkpoint(1))
    torch.save({"epoch": 1, "x": Harmful()}, tmp_path / "last-00001" / "state.pt")
    with pytest.raises(pickle.UnpicklingError, match="Weights only load failed"):
        load_last(tmp_path)


def test_dropping_leaves_the_best_weights(tmp_path):
    save_last(tmp_path, checkpoint(3))
    (tmp_path / "best.safetensors").write_bytes(b"x")
    drop_last(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["best.safetensors"]

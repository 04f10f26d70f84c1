import os
import pickle
import shutil

import pytest
import torch

from trainable.checkpoint import Checkpoint, drop_last, load_last, num_damaged, save_last


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
    save_last(tmp_path, Checkpoint(1, {}, {"x": Harmful()}))
    with pytest.raises(pickle.UnpicklingError, match="Weights only load failed"):
        load_last(tmp_path)


def flip(path, position):
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: os.truncate(folder / "model.safetensors", 20),
        lambda folder: flip(folder / "model.safetensors", -1),
        lambda folder: flip(folder / "state.pt", 200),
        lambda folder: (folder / "state.pt").unlink(),
        lambda folder: (folder / "crc32.json").write_text("{"),
        lambda folder: (folder / "crc32.json").write_text("[]"),
        lambda folder: shutil.rmtree(folder) or folder.mkdir(),
    ],
)
def test_a_damaged_checkpoint_is_never_read(tmp_path, damage):
    save_last(tmp_path, checkpoint(2))
    damage(tmp_path / "last-00002")
    assert load_last(tmp_path) is None
    assert num_damaged(tmp_path) == 1
    assert load_last(tmp_path) is None
    save_last(tmp_path, checkpoint(1))
    assert num_damaged(tmp_path) == 0
    assert load_last(tmp_path).epoch == 1


def test_before_a_damaged_checkpoint_the_earlier_one_is_read(tmp_path):
    save_last(tmp_path, checkpoint(1))
    shutil.copytree(tmp_path / "last-00001", tmp_path / "kept")
    save_last(tmp_path, checkpoint(2))
    (tmp_path / "kept").rename(tmp_path / "last-00001")
    flip(tmp_path / "last-00002" / "model.safetensors", -1)
    assert load_last(tmp_path).epoch == 1
    drop_last(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_dropping_leaves_the_best_weights(tmp_path):
    save_last(tmp_path, checkpoint(3))
    (tmp_path / "best.safetensors").write_bytes(b"x")
    drop_last(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["best.safetensors"]

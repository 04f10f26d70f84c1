"""A disk that is full or read-only, for real: what was saved stays, and the search is told."""

import gc
import os
import resource
import subprocess
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest

from trainable.checkpoint import load_last, load_weights
from trainable.data.cache import cache_file
from trainable.errors import SearchError
from trainable.event_file import EventFile
from trainable.files import UnwritableError
from trainable.ray_trainable import TrainTrial
from trainable.tensorboard import scalar
from trainable.trial_folder import TrialFolder

DISK_MIB = 12
MOUNT = ("mount", "-t", "tmpfs", "tmpfs", "-o")


def ran(*command):
    """Run a command and return whether it succeeded."""
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


@pytest.fixture
def small_disk(tmp_path):
    """Return the folder of a file system of a few MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0 or not ran(*MOUNT, f"size={DISK_MIB}m", folder):
        pytest.skip("needs the right to mount a file system")
    yield folder
    assert ran("umount", "--lazy", folder)


@pytest.fixture
def run_place(small_disk):
    return small_disk


@pytest.fixture
def message(message):
    return partial(message, epochs=9)


@contextmanager
def almost_full(disk, left):
    """Leave so many bytes of a file system free."""
    stats = os.statvfs(disk)
    filler = disk / "filler"
    filler.write_bytes(bytes(max(0, stats.f_bavail * stats.f_frsize - left)))
    yield
    filler.unlink()


def test_a_full_disk_of_the_cache_names_the_limit_that_makes_room(coloured, small_disk):
    data = replace(coloured, cache_dir=small_disk)
    data.images((160, 120))  # 5 MB, of which no process has more than the file
    gc.collect()
    with pytest.raises(SearchError, match=r"No space left on device\. --cache-limit SIZE deletes"):
        data.images((180, 160))
    assert cache_file(data, (160, 120)).exists()
    limited = replace(data, cache_limit="1GiB")  # more than the disk has
    assert limited.images((180, 160)).shape == (90, 180, 160, 3)
    assert not cache_file(data, (160, 120)).exists()
    with pytest.raises(SearchError, match=r"No space left on device\. --cache-dir names another"):
        limited.images((320, 240))
    assert cache_file(data, (180, 160)).exists()


def asides(folder):
    return [path for path in folder.rglob(".*") if path.is_file()]


def check_readable(folder):
    """Check that all that a trial has written is whole, and return the last epoch."""
    epoch = load_last(folder.checkpoint).epoch
    rows = pd.read_csv(folder.metrics)
    assert rows["epoch"].tolist() == list(range(1, len(rows) + 1))
    assert len(rows) in (epoch, epoch - 1)
    with np.load(folder.probabilities) as recorded:
        assert np.isfinite(recorded["probs"]).all()
    assert load_weights(folder.best_weights)
    assert asides(folder.path) == []
    return epoch


def test_a_full_disk_stops_the_search_and_what_was_saved_stays(message, small_disk):
    folder = TrialFolder.of(small_disk / "run", 0)
    worker = TrainTrial(message(0))
    assert worker.train()["epoch"] == 1
    # Each of these lets another of the files that an epoch writes be the one without room.
    for left in (0, 2**12, 2**16, 2**20, 3 * 2**20):
        before = check_readable(folder)
        with almost_full(small_disk, left):
            result = worker.train()
            if not result.get("stop_search"):
                break  # it all fitted in
            assert result["done"]
            assert str(folder.path) in result["failed"]
            assert "expected room to write, got 'No space left on device'" in result["failed"]
            assert "\n" not in result["failed"]
            assert check_readable(folder) >= before
            worker.stop()
        worker = TrainTrial(message(0))
    assert left > 0
    result = worker.train()
    worker.stop()
    assert result["epoch"] == check_readable(folder)
    assert not folder.error.exists()


def test_a_folder_that_becomes_read_only_stops_the_search(message, small_disk):
    folder = TrialFolder.of(small_disk / "run", 0)
    worker = TrainTrial(message(0))
    worker.train()
    assert ran("mount", "--bind", "-o", "ro", small_disk, small_disk)
    result = worker.train()
    again = TrainTrial(message(1)).train()
    worker.stop()
    assert result["stop_search"]
    assert again["stop_search"]
    assert "expected room to write, got 'Read-only file system'" in result["failed"]
    assert check_readable(folder) == 1
    assert ran("umount", "--lazy", small_disk)
    worker = TrainTrial(message(0))
    assert worker.train()["epoch"] == 2
    worker.stop()


def test_events_that_find_no_room_are_an_error_at_once(small_disk):
    file = EventFile(small_disk)
    summary = scalar("val/f1", 0.5)
    with almost_full(small_disk, 0), pytest.raises(UnwritableError, match="No space left"):
        file.add(*[summary] * 10_000)


def test_a_file_larger_than_allowed_stops_the_search_too(coloured, config, tmp_path):
    from trainable.trial import Trial

    trial = Trial(config(), coloured, tmp_path)
    trial.run_epoch()
    before, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(UnwritableError, match=r"File too large: '.*last-00002'"):
            trial.run_epoch()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, hard))
    assert load_last(TrialFolder(tmp_path).checkpoint).epoch == 1
    assert asides(tmp_path) == []

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from trainable.augmentations.library import A
from trainable.data.batches import TrainingBatches, TrainingImages
from trainable.samplers.balanced import ImbalancedSampling
from trainable.samplers.shuffled import PlainSampling

NUM_IMAGES = 22
NOISE = A.Compose([A.GaussNoise(std_range=(0.1, 0.2), p=1.0)])


@pytest.fixture
def make():
    """Return a function that makes batches of images whose pixels are their row numbers."""

    def make_batches(*, augmentation=None, sampling=None, batch_size=8, seed=0, rows=None):
        rows = np.arange(5, 5 + NUM_IMAGES) if rows is None else rows
        pixels = np.broadcast_to(np.arange(60, dtype=np.uint8)[:, None, None, None], (60, 8, 6, 3))
        labels = np.arange(len(rows)) % 2
        images = TrainingImages(pixels.copy(), rows, labels, augmentation, seed)
        sampler = (sampling or PlainSampling()).build(labels, num_classes=2, seed=seed)
        return TrainingBatches(images, sampler, batch_size=batch_size)

    return make_batches


def test_an_epoch_reads_rows_of_the_part_with_their_labels(make):
    for images, labels in make().of_epoch(0):
        rows = images[:, 0, 0, 0].long()
        assert rows.min() >= 5
        assert rows.max() < 5 + NUM_IMAGES
        assert torch.equal(labels, (rows - 5) % 2)


def test_the_last_incomplete_batch_is_left_out(make):
    batches = make(batch_size=8)
    assert [len(batch.labels) for batch in batches.of_epoch(0)] == [8, 8]
    assert (len(batches), batches.num_images) == (2, 16)


def test_a_part_smaller_than_a_batch_is_one_batch(make):
    batches = make(batch_size=64)
    assert [len(batch.labels) for batch in batches.of_epoch(0)] == [NUM_IMAGES]


def test_epochs_are_shuffled_anew(make):
    batches = make(batch_size=NUM_IMAGES)
    first, second, again = (next(batches.of_epoch(epoch)).images for epoch in (0, 1, 0))
    assert not torch.equal(first, second)
    assert torch.equal(first, again)


def test_augmentation_depends_on_seed_and_epoch_and_on_nothing_else(make):
    def pixels(seed, epoch):
        batches = make(augmentation=NOISE, seed=seed)
        return torch.cat([batch.images for batch in batches.of_epoch(epoch)])

    assert torch.equal(pixels(0, 1), pixels(0, 1))
    assert not torch.equal(pixels(0, 1), pixels(0, 2))
    assert not torch.equal(pixels(0, 1), pixels(1, 1))


def test_an_image_drawn_twice_is_augmented_twice(make):
    rows = np.array([7, 8, 9])
    batches = make(augmentation=NOISE, sampling=ImbalancedSampling(), rows=rows, batch_size=3)
    drawn = [images for epoch in range(6) for images, _ in batches.of_epoch(epoch)]
    flat = torch.cat(drawn).flatten(1)
    assert len(torch.unique(flat, dim=0)) == len(flat)


def test_the_cache_is_never_written_to(make):
    batches = make(batch_size=NUM_IMAGES)
    next(batches.of_epoch(0)).images.zero_()
    assert next(batches.of_epoch(0)).images.max() > 0


HANGING = """
import multiprocessing, sys, time
import numpy as np
from trainable.data.batches import TrainingBatches, TrainingImages
from trainable.samplers.shuffled import PlainSampling

class Hanging:
    def __call__(self, image):
        time.sleep(600)

    def set_random_state(self, *_):
        pass

if __name__ == "__main__":
    images = TrainingImages(
        np.zeros((8, 8, 6, 3), np.uint8), np.arange(8), np.arange(8) % 2, Hanging(), 0
    )
    sampler = PlainSampling().build(images.labels, num_classes=2, seed=0)
    timeout_s = float(sys.argv[1])
    batches = TrainingBatches(images, sampler, batch_size=4, num_workers=2, timeout_s=timeout_s)
    iterator = batches.of_epoch(0)
    print(*(process.pid for process in multiprocessing.active_children()), flush=True)
    next(iterator)
"""


def start_hanging(timeout_s):
    command = [sys.executable, "-c", HANGING, str(timeout_s)]
    trial = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    workers = [int(pid) for pid in trial.stdout.readline().split()]
    assert len(workers) == 2
    return trial, workers


def is_alive(pid):
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False


def wait_until_gone(pids, timeout_s=120):
    deadline = time.monotonic() + timeout_s
    while (alive := [pid for pid in pids if is_alive(pid)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    for pid in alive:
        os.kill(pid, signal.SIGKILL)
    return alive


@pytest.mark.skipif(sys.platform != "linux", reason="Linux tells a process of its parent's end")
def test_a_trial_that_is_killed_leaves_no_worker_that_hangs():
    trial, workers = start_hanging(timeout_s=600)
    with trial:
        time.sleep(1)  # until they hang in a batch
        assert all(map(is_alive, workers))
        trial.kill()
    assert wait_until_gone(workers) == []


@pytest.mark.skipif(sys.platform != "linux", reason="Linux tells a process of its parent's end")
def test_a_worker_that_hangs_is_an_error_after_a_while():
    trial, workers = start_hanging(timeout_s=1)
    _, errors = trial.communicate(timeout=300)
    assert trial.returncode == 1
    assert "DataLoader timed out after 1.0 seconds" in errors
    assert wait_until_gone(workers) == []

"""Workers that do not share the run folder's disk, as they are on a machine of their own."""

import errno
import json
import os
import time
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from trainable.augmentations.library import A
from trainable.checkpoint import load_last
from trainable.depot import MARK_FILE, DiskDepot, files_of
from trainable.files import UnwritableError, write_json
from trainable.ownership import end_ownership
from trainable.ray_trainable import TrainTrial
from trainable.tensorboard import PICTURES
from trainable.trial_folder import TrialFolder
from trainable.workplace import KEPT_S, WORKING_FOLDER, workplace

TIMES = ["seconds", "images_per_s"]
LAST = ("checkpoint/last-00003/", "checkpoint/last-00004/")


class Elsewhere(DiskDepot):
    """The depot of another machine: what is marked there is not seen here."""

    def mark(self, home: Path) -> str:
        super().mark(home)
        return "another"


@pytest.fixture
def message(message):
    return partial(message, epochs=4)


@pytest.fixture
def depot():
    return Elsewhere("mark")


def trained(worker, *, epochs=4):
    return [worker.train() for _ in range(epochs)][-1]


def working(tmp_path) -> list[Path]:
    return list((tmp_path / "cache" / WORKING_FOLDER).glob("*"))


def same_but_for_times(run_folder, one, other):
    one, other = TrialFolder.of(run_folder, one), TrialFolder.of(run_folder, other)
    for folder in (one, other):
        assert folder.config.read_text() == one.config.read_text()
        assert folder.best_weights.read_bytes() == one.best_weights.read_bytes()
        assert folder.confusions.read_text() == one.confusions.read_text()
    np.testing.assert_equal(other.read_probabilities(), one.read_probabilities())
    curves = [pd.DataFrame(folder.read_metrics()).drop(columns=TIMES) for folder in (one, other)]
    pd.testing.assert_frame_equal(*curves)


def same_as_of_one_worker(message, run_folder):
    """Check that trial 0 is what one worker makes of it that trains there alone, as trial 1."""
    alone = TrainTrial(message(1))
    trained(alone)
    alone.stop()
    same_but_for_times(run_folder, 0, 1)


def test_a_worker_elsewhere_leaves_the_same_files_there_and_none_here(
    message, depot, run_folder, tmp_path
):
    here = TrainTrial(message(0))
    trained(here)
    here.stop()
    elsewhere = TrainTrial(message(1, depot=depot))
    assert trained(elsewhere)["finished"] == "epochs"
    last = run_folder / "trials" / "0001" / "checkpoint"
    # Nothing goes on from the last checkpoint of a trial that has ended.
    assert [path.name for path in last.glob("last-*")] == ["last-00003"]
    elsewhere.stop()
    same_but_for_times(run_folder, 0, 1)
    names = [
        # The rest of the name of an event file is the second and the machine.
        {name[:10] for name in files_of(run_folder / "trials" / number) if name[:22] not in LAST}
        for number in ("0000", "0001")
    ]
    assert names[0] == names[1]
    assert len(list((run_folder / "trials" / "0001").glob(f"*{PICTURES}"))) == 1
    assert not list((run_folder / "trials").glob("*/.*"))
    [place] = working(tmp_path)
    assert not list(place.glob("trials/*"))


def test_a_trial_goes_on_elsewhere_with_the_same_bits(message, depot, run_folder, tmp_path):
    lost = TrainTrial(message(0, depot=depot))
    trained(lost, epochs=2)
    lost._remote._wait()  # what is on its way arrives, or the trial goes on an epoch earlier
    (run_folder / "trials" / "0000" / ".sent-12345678").mkdir()  # but for this
    workplace.cache_clear()  # as in another process, which has nothing of this one
    [place] = working(tmp_path)
    place.rename(tmp_path / "lost")
    second = TrainTrial(message(0, depot=depot))
    result = trained(second, epochs=2)
    assert (result["epoch"], result["finished"]) == (4, "epochs")
    second.stop()
    assert not list((run_folder / "trials").glob("*/.*"))
    same_as_of_one_worker(message, run_folder)


def test_a_checkpoint_that_is_lost_on_its_way_costs_an_epoch_alone(message, run_folder):
    class Lossy(Elsewhere):
        def settle(self, aside, names, gone, *, token):
            if "checkpoint/last-00002" in names:
                raise ConnectionError("lost")
            super().settle(aside, names, gone, token=token)

    lost = TrainTrial(message(0, depot=Lossy("mark")))
    trained(lost, epochs=2)
    with pytest.raises(ConnectionError):
        lost._remote._wait()
    checkpoint = load_last(run_folder / "trials" / "0000" / "checkpoint")
    assert checkpoint is not None
    assert checkpoint.epoch == 1
    second = TrainTrial(message(0, depot=Elsewhere("mark")))
    assert trained(second, epochs=3)["epoch"] == 4
    second.stop()
    same_as_of_one_worker(message, run_folder)


def test_a_checkpoint_is_sent_while_the_next_epoch_trains(message, run_folder):
    class Slow(Elsewhere):
        def write(self, aside, name, start, piece):
            if "last-" in name:
                time.sleep(0.2)  # two pieces of three files
            super().write(aside, name, start, piece)

    worker = TrainTrial(message(0, depot=Slow("mark")))
    worker.train()
    checkpoints = run_folder / "trials" / "0000" / "checkpoint"
    assert not list(checkpoints.glob("last-*"))
    assert (run_folder / "trials" / "0000" / "metrics.csv").exists()
    worker.train()
    # The second takes the first's place here while that is still read.
    worker._remote._wait()
    assert [path.name for path in checkpoints.glob("last-*")] == ["last-00002"]
    checkpoint = load_last(checkpoints)
    assert checkpoint is not None
    assert checkpoint.epoch == 2
    worker.stop()


def test_a_worker_whose_trial_was_taken_back_ends_and_changes_nothing(message, depot, run_folder):
    worker = TrainTrial(message(0, depot=depot))
    trained(worker, epochs=1)
    worker._remote._wait()
    folder = run_folder / "trials" / "0000"
    end_ownership(folder)
    before = {name: (folder / name).read_bytes() for name in files_of(folder)}
    with pytest.raises(SystemExit, match="another worker's by now, or nobody's"):
        worker.train()
    assert {name: (folder / name).read_bytes() for name in files_of(folder)} == before


def test_a_trial_that_fails_says_why_there(message, depot, run_folder):
    worker = TrainTrial(message(0, depot=depot, **{"optimizer/lr": -1.0}))
    failed = worker.train()["failed"]
    assert failed.startswith("optimizer/lr: expected")
    assert (run_folder / "trials" / "0000" / "error.txt").read_text().strip() == failed
    worker.reset(message(1, depot=depot))
    (run_folder / "trials" / "0001").mkdir()
    (run_folder / "trials" / "0001" / "error.txt").write_text("its process died")
    worker.train()
    assert not (run_folder / "trials" / "0001" / "error.txt").exists()
    worker.stop()


def test_a_full_disk_of_the_other_machine_ends_the_search(message, run_folder):
    class Full(Elsewhere):
        def settle(self, aside, names, gone, *, token):
            raise UnwritableError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(aside.parent))

    worker = TrainTrial(message(0, depot=Full("mark")))
    result = worker.train()
    assert result["stop_search"]
    folder = run_folder / "trials" / "0000"
    assert result["failed"] == f"{folder}: expected room to write, got 'No space left on device'."
    worker.stop()


def test_a_worker_that_shares_the_disk_works_there(message, run_folder, tmp_path):
    worker = TrainTrial(message(0, depot=DiskDepot("mark")))
    assert worker._remote is None
    worker.train()
    assert (run_folder / "trials" / "0000" / "checkpoint" / "last-00001").is_dir()
    assert (run_folder / MARK_FILE).read_text() == "mark"
    assert not working(tmp_path)
    worker.stop()


def test_a_pipeline_that_is_not_on_the_machine_is_the_run_folders_copy(
    message, depot, run_folder, tmp_path
):
    (run_folder / "files").mkdir()
    A.save(A.Compose([A.HorizontalFlip()]), run_folder / "files" / "0-p.yaml", data_format="yaml")
    record = json.loads((run_folder / "run.json").read_text())
    file = str(tmp_path / "not" / "here" / "p.yaml")
    write_json(run_folder / "run.json", {**record, "files": {file: {"copy": "files/0-p.yaml"}}})
    custom = {"augmentation/name": "custom", "augmentation/file": file}
    worker = TrainTrial(message(0, depot=depot, **custom))
    assert worker.train()["epoch"] == 1
    worker.stop()
    kept = json.loads((run_folder / "trials" / "0000" / "config.json").read_text())
    assert kept["augmentation"]["file"] == file


def test_what_killed_workers_left_goes_after_a_week(message, depot, tmp_path):
    old, new = (tmp_path / "cache" / WORKING_FOLDER / name for name in ("old", "new"))
    for folder in (old, new):
        folder.mkdir(parents=True)
    os.utime(old, (0, time.time() - KEPT_S - 1))
    TrainTrial(message(0, depot=depot)).stop()
    assert old not in working(tmp_path)
    assert new in working(tmp_path)


def test_an_answer_that_was_lost_may_be_asked_for_again(tmp_path):
    depot = DiskDepot("mark")
    token = depot.claim(tmp_path)
    aside = tmp_path / ".sent-1"
    for _ in range(2):
        depot.write(aside, "checkpoint/last-00001/a", 0, b"1234")
    depot.write(aside, "checkpoint/last-00001/a", 4, b"56")
    (tmp_path / "old").touch()
    for _ in range(2):
        depot.settle(aside, ["checkpoint/last-00001"], ["old"], token=token)
    assert files_of(tmp_path) == ["checkpoint/last-00001/a"]
    assert (tmp_path / "checkpoint/last-00001/a").read_bytes() == b"123456"

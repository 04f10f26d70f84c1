"""A copy of the run folder in a bucket, and a search that goes on from there."""

import os
import signal
import sqlite3
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from threading import Event

import pandas as pd
import pytest
import torch
from optuna.trial import TrialState
from pandas.testing import assert_frame_equal

from analysis.run_folder import RunFolder, trials_table
from search.arguments import parse_arguments
from search.bucket import bring_run, kept_in_bucket
from search.bucket_copy import BucketCopy, TakenOverError
from search.run import main
from trainable.checkpoint import Checkpoint, load_last, save_last
from trainable.errors import ConfigError

URL = "s3://team/runs"
EPOCHS = 100


@pytest.fixture
def run(tmp_path) -> Path:
    """Return a folder with some of what a run folder has."""
    run = tmp_path / "a"
    (run / "trials" / "0000").mkdir(parents=True)
    (run / "run.json").write_text("{}")
    (run / "trials" / "0000" / "metrics.csv").write_text("epoch\n1\n")
    (run / ".lock").touch()
    (run / "trials" / "0000" / ".metrics-12345678.csv").touch()
    with sqlite3.connect(run / "study.db") as study:
        study.execute("CREATE TABLE told (number)")
    return run


def files(folder: Path) -> dict[str, bytes]:
    """Return what is in a folder by path, but for files that start with a dot."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    names = {path.relative_to(folder).as_posix(): path for path in paths}
    kept = {name for name in names if not any(part[0] == "." for part in name.split("/"))}
    return {name: names[name].read_bytes() for name in kept}


def brought(bucket) -> dict[str, bytes]:
    names = (path.removeprefix("team/runs/a/") for path in bucket.find("team/runs/a"))
    return {name: bucket.cat_file(f"team/runs/a/{name}") for name in names if name[0] != "."}


def test_a_pass_brings_what_has_changed_and_deletes_what_is_gone(bucket, run):
    copy = BucketCopy(run, URL)
    copy.check(is_new=True)
    copy.bring()
    assert brought(bucket).keys() == {"run.json", "study.db", "trials/0000/metrics.csv"}
    first = {path: bucket.info(path)["LastModified"] for path in bucket.find("team/runs/a")}
    (run / "trials" / "0000" / "metrics.csv").write_text("epoch\n1\n2\n")
    (run / "leaderboard.csv").write_text("trial\n")
    (run / "run.json").unlink()
    copy.bring()
    assert "run.json" in brought(bucket)  # what is gone goes a pass later
    copy.bring()
    assert brought(bucket).keys() == {"leaderboard.csv", "study.db", "trials/0000/metrics.csv"}
    assert brought(bucket)["trials/0000/metrics.csv"] == b"epoch\n1\n2\n"
    study = "team/runs/a/study.db"
    assert bucket.info(study)["LastModified"] == first[study]


def test_a_study_is_taken_as_of_one_moment_while_it_is_written(bucket, run, tmp_path):
    with sqlite3.connect(run / "study.db") as study:
        study.execute("INSERT INTO told VALUES (1)")
        study.commit()
        study.execute("INSERT INTO told VALUES (2)")  # not told yet
        BucketCopy(run, URL).bring()
        study.rollback()
    there = tmp_path / "there.db"
    there.write_bytes(brought(bucket)["study.db"])
    assert sqlite3.connect(there).execute("SELECT number FROM told").fetchall() == [(1,)]


def test_what_is_wrong_with_a_bucket_is_one_line_before_trials_start(bucket, run, tmp_path):
    with pytest.raises(ConfigError, match=r"^s3://nowhere/a: expected a bucket that can be wri"):
        BucketCopy(run, "s3://nowhere").check(is_new=True)
    BucketCopy(run, URL).bring()
    with pytest.raises(ConfigError, match=r"^s3://team/runs/a: expected no run of this name, go"):
        BucketCopy(run, URL).check(is_new=True)
    BucketCopy(run, URL).check(is_new=False)
    with pytest.raises(ConfigError, match=r"^s3://team/runs/b: expected a run folder, with its"):
        bring_run(f"{URL}/b", tmp_path / "runs")
    assert not (tmp_path / "runs").exists()
    with pytest.raises(ConfigError, match=r"--resume: expected no .*a here yet, got one\. Go on"):
        bring_run(f"{URL}/a", tmp_path)


def test_a_bucket_that_fails_is_told_of_and_ends_nothing(bucket, run, monkeypatch):
    monkeypatch.setattr("search.bucket.PERIOD_S", 0.01)
    copy, told = BucketCopy(run, URL), []
    bucket.rm("team", recursive=True)
    with kept_in_bucket(copy, told.append):
        while not told:
            pass
    first, last = told
    assert first.startswith("s3://team/runs/a: not up to date ('")
    assert last.startswith("s3://team/runs/a: expected to be whole, got '")
    assert last.endswith(f"python -m search.run --resume {run}")


def put(copy, monkeypatch) -> list[str]:
    """Return the names of the files that a copy puts into its bucket from now on."""
    names: list[str] = []
    put_file = copy._system.put_file

    def noted(path: str, there: str) -> None:
        names.append(there.removeprefix("team/runs/a/"))
        put_file(path, there)

    monkeypatch.setattr(copy._system, "put_file", noted)
    return names


def test_a_later_process_brings_what_has_changed_alone(bucket, run, tmp_path, monkeypatch):
    first = BucketCopy(run, URL)
    first.bring()
    (run / "leaderboard.csv").write_text("trial\n")
    (run / "trials" / "0000" / "metrics.csv").unlink()
    for folder in (run, tmp_path / "elsewhere" / "a"):
        if folder != run:
            bring_run(f"{URL}/a", folder.parent)
            (folder / "leaderboard.csv").write_text("trial\n1\n")
        later = BucketCopy(folder, URL)
        later.check(is_new=False)
        names = put(later, monkeypatch)
        later.bring(is_last=True)
        assert names == ["leaderboard.csv"]
        monkeypatch.undo()
    assert brought(bucket).keys() == {"run.json", "study.db", "leaderboard.csv"}


def test_an_old_run_folder_does_not_overwrite_what_another_machine_went_on_with(
    bucket, run, tmp_path
):
    lost = BucketCopy(run, URL)
    lost.bring()
    elsewhere = bring_run(f"{URL}/a", tmp_path / "elsewhere")
    other = BucketCopy(elsewhere, URL)
    other.check(is_new=False)
    (elsewhere / "run.json").write_text('{"gone": "on"}')
    other.bring()
    (run / "run.json").write_text('{"old": "one"}')
    with pytest.raises(TakenOverError, match="another machine has gone on from there"):
        lost.bring()
    refused = r"a: expected to have been written to from .*/a last, got from elsewhere\. To go on"
    with pytest.raises(ConfigError, match=refused):
        BucketCopy(run, URL).check(is_new=False)
    assert brought(bucket)["run.json"] == b'{"gone": "on"}'
    # What was killed as it took over may try again.
    again = BucketCopy(elsewhere, URL)
    again.check(is_new=False)
    again.bring()


def test_a_bucket_that_hangs_does_not_hold_the_end_up(bucket, run, monkeypatch):
    monkeypatch.setattr("search.bucket.STALLED_S", 0.2)
    copy, told, goes_on = BucketCopy(run, URL), [], Event()
    monkeypatch.setattr(copy._system, "put_file", lambda *_: goes_on.wait())
    with kept_in_bucket(copy, told.append):
        pass
    goes_on.set()
    assert told == [
        "s3://team/runs/a: expected to be whole, got 'nothing brought in 0 s'. Once it answers "
        f"again: python -m search.run --resume {run}"
    ]


def test_missing_credentials_are_one_line(bucket, run, monkeypatch, tmp_path):
    bucket.clear_instance_cache()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(ConfigError) as error:
        BucketCopy(run, URL).check(is_new=True)
    [line] = error.value.problems
    assert line == (
        "s3://team/runs/a: expected a bucket that can be written to, got 'Unable to locate "
        "credentials'. Access is configured outside of this program, as for the bucket's own "
        "tools."
    )


def test_run_folders_in_a_bucket_are_worked_on_here(monkeypatch):
    given = parse_arguments(["--space", "spaces/quick.py", "--runs-dir", URL]).values
    assert (given["copy_to"], "runs_dir" in given) == (URL, False)
    with pytest.raises(ConfigError, match=r"^--copy-to: expected one bucket, got another in --ru"):
        parse_arguments(["--space", "spaces/quick.py", "--runs-dir", URL, "--copy-to", URL])


def test_a_checkpoint_that_is_replaced_during_a_pass_leaves_a_whole_one_there(
    bucket, run, tmp_path, monkeypatch
):
    monkeypatch.setattr("search.bucket_copy.NUM_THREADS", 1)
    folder = run / "trials" / "0000" / "checkpoint"
    copy = BucketCopy(run, URL)
    put_file = copy._system.put_file
    epochs = iter(range(1, 100))

    def put_as_an_epoch_ends(path: str, there: str) -> None:
        put_file(path, there)
        if "/last-" in there:
            save_last(folder, checkpoint(next(epochs)))

    monkeypatch.setattr(copy._system, "put_file", put_as_an_epoch_ends)
    save_last(folder, checkpoint(next(epochs)))
    for number in range(3):
        before = max(int(path.name.removeprefix("last-")) for path in folder.glob("last-*"))
        copy.bring()
        there = bring_run(f"{URL}/a", tmp_path / str(number))
        last = load_last(there / "trials" / "0000" / "checkpoint")
        assert last is not None
        assert last.epoch == before
    assert not (run / ".bucket").exists()


def test_what_the_study_knows_of_is_there_where_an_epoch_ends_during_a_pass(
    bucket, run, tmp_path, monkeypatch
):
    copy = BucketCopy(run, URL)
    held = copy._held

    def tell(number: int) -> None:
        (run / "trials" / "0000" / "metrics.csv").write_text(f"epoch\n{number}\n")
        with sqlite3.connect(run / "study.db") as study:
            study.execute("INSERT INTO told VALUES (?)", (number,))

    def held_as_an_epoch_ends():
        tell(2)
        return held()

    tell(1)
    monkeypatch.setattr(copy, "_held", held_as_an_epoch_ends)
    copy.bring()
    there = tmp_path / "there.db"
    there.write_bytes(brought(bucket)["study.db"])
    assert sqlite3.connect(there).execute("SELECT number FROM told").fetchall() == [(1,)]
    assert brought(bucket)["trials/0000/metrics.csv"] == b"epoch\n2\n"


def checkpoint(epoch: int) -> Checkpoint:
    return Checkpoint(epoch=epoch, model={"weight": torch.full((3,), float(epoch))}, state={})


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("runs", "--copy-to: expected the URL of a folder in a bucket, such as s3://bucket/runs"),
        ("s4://x/runs", "--copy-to: s4://x/runs: expected a folder, or the URL of a bucket"),
    ],
)
def test_an_address_that_is_no_buckets_is_refused_at_once(url, problem):
    with pytest.raises(ConfigError, match=problem):
        parse_arguments(["--space", "spaces/quick.py", "--copy-to", url])


def test_a_bucket_that_is_not_there_is_found_before_anything_is_written(
    bucket, coloured_folder, tmp_path, capsys
):
    runs = tmp_path / "runs"
    what = ["--space", "spaces/quick.py", "--data", str(coloured_folder)]
    where = ["--runs-dir", str(runs), "--cache-dir", str(tmp_path / "cache")]
    assert main([*what, *where, "--copy-to", "s3://nowhere/runs"]) == 2
    assert capsys.readouterr().err.startswith("s3://nowhere/runs/")
    assert not runs.exists()


@pytest.mark.slow
def test_a_search_that_was_killed_goes_on_from_the_bucket_elsewhere(
    bucket, start, tmp_path, monkeypatch
):
    epochs = ("--max-epochs", str(EPOCHS), "--grace-period", str(EPOCHS), "--trials", "2")
    monkeypatch.setenv("PYTHONPATH", str(Path.cwd()))
    monkeypatch.chdir(tmp_path)  # where the run folder is worked on
    search = start(*epochs, "--runs-dir", URL)
    search.wait_for(lambda: bucket.exists("team/runs/a/trials/0001/metrics.csv"))
    os.killpg(search.process.pid, signal.SIGKILL)
    search.process.wait()
    search.run.rename(tmp_path / "lost")
    before = {
        name: curve(text)
        for name, text in brought(bucket).items()
        if name.endswith("/metrics.csv")
    }
    assert len(before) == 2
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "search.run", "--resume", f"{URL}/a"],
        cwd=elsewhere,
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{URL}/a is now in runs/a." in done.stdout
    assert f"Bucket:  {URL}/a" in done.stdout
    run = RunFolder(elsewhere / "runs" / "a")
    assert [trial.state for trial in run.trials] == [TrialState.COMPLETE] * 2
    assert [len(trial.intermediate_values) for trial in run.trials] == [EPOCHS] * 2
    bucket.get("team/runs/a", str(tmp_path / "there"), recursive=True)
    after = {name: text for name, text in brought(bucket).items() if name != "study.db"}
    here = files(run.path)
    here.pop("study.db")
    assert after == here
    for name, values in before.items():
        # Epochs after the last checkpoint are trained again, in other times to the same values.
        assert curve(after[name])[: len(values)] == values
    assert_frame_equal(trials_table(RunFolder(tmp_path / "there")), trials_table(run))


def curve(text: bytes) -> list[float]:
    return pd.read_csv(BytesIO(text))["val/f1"].to_list()

"""Refit as a user runs it, with Ray."""

import os
import signal
import subprocess
import sys
import time

import pytest

from analysis.bundle import read_bundle
from search.refit.__main__ import main


@pytest.fixture
def refit(tmp_path):
    """Return a function that starts ``search.refit`` in a process of its own."""
    started = []

    def start_refit(*arguments):
        out = (tmp_path / f"output-{len(started)}.txt").open("w+")
        process = subprocess.Popen(
            [sys.executable, "-m", "search.refit", *map(str, arguments)],
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        started.append(process)
        return process, out

    yield start_refit
    for process in started:
        if process.poll() is None:
            process.kill()
            process.wait()


def curves(run):
    """Return the learning curves of a run's refits, but for folders that are being written."""
    refits = (run / "refits").glob("[0-9]*")
    return [file for refit in refits for file in refit.glob("fold-*/trials/*/metrics.csv")]


@pytest.mark.slow
def test_a_refit_that_is_killed_goes_on_where_it_was(start, refit, tmp_path):
    options = ("--trials", "2", "--scheduler", "none", "--max-epochs", "4")
    search = start(*options, "--max-concurrent", "1")
    search.finished()
    out = tmp_path / "final"
    arguments = (search.run, "--members", "0", "1", "--folds", "2", "--out", out)
    process, _ = refit(*arguments)
    while not curves(search.run):
        assert process.poll() is None
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process, printed = refit(*arguments)
    assert process.wait(timeout=300) == 0, printed.read()
    manifest = read_bundle(out).manifest
    assert [member.trial for member in manifest.members] == [0, 1, 0, 1]
    assert {"oof/f1", "test/f1"} <= manifest.metrics.keys()
    for curve in curves(search.run):
        epochs = [line.split(",")[0] for line in curve.read_text().splitlines()[1:]]
        assert epochs == [str(number) for number in range(1, len(epochs) + 1)]
    printed.seek(0)
    text = printed.read()
    assert "4 networks trained again" in text
    assert "out of fold" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--folds", "1"], "--folds: expected at least 2, got 1."),
        (["--members", "9"], "trial 0009: expected a complete trial, or one that was stopped"),
        (["--folds", "500"], "--folds: expected at most 72, one a person, got 500."),
        (["--fold", "5"], "--fold: expected a known option, got '--fold'. Did you mean"),
    ],
)
def test_wrong_input_is_one_line_and_writes_nothing(run, tmp_path, capsys, arguments, message):
    assert main([str(run.path), "--out", str(tmp_path / "out"), *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_bundle_in_the_way_is_refused_before_anything_is_trained(run, tmp_path, capsys):
    (tmp_path / "mine.txt").write_text("precious")
    assert main([str(run.path), "--out", str(tmp_path)]) == 2
    assert "expected a new or empty folder, got one in use" in capsys.readouterr().err
    assert not (run.path / "refits").exists()

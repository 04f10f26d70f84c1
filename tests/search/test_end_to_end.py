"""The main job as a user runs it, with a real Ray: to the end, cut off, killed, gone on with."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import optuna
import pandas as pd
import pytest
from optuna.trial import FrozenTrial, TrialState

pytestmark = pytest.mark.slow

WAIT_S = 180
SPACE = """
DEFAULTS = {"trials": 5, "max_epochs": 4, "grace_period": 1, "reduction_factor": 2}

def space(trial):
    trial.suggest_categorical("backbone/name", ["test_efficientnet"])
    trial.suggest_categorical("resize", ["32x24"])
    trial.suggest_categorical("optimizer/name", ["adamw"])
    trial.suggest_float("optimizer/lr", 1e-4, 1e-1, log=True)
"""


@pytest.fixture
def start(tmp_path, coloured_folder):
    """Return a function that starts ``search.run`` in a process of its own."""
    (tmp_path / "tiny.py").write_text(SPACE)
    started = []

    def start_search(*arguments: str, new: bool = True) -> Search:
        place = [
            "--runs-dir",
            str(tmp_path / "runs"),
            "--name",
            "a",
            "--data",
            str(coloured_folder),
        ]
        what = [
            "--space",
            str(tmp_path / "tiny.py"),
            "--cache-dir",
            str(tmp_path / "cache"),
            *place,
        ]
        command = [sys.executable, "-m", "search.run", *(what if new else []), *arguments]
        # Files, not pipes: agents of a killed Ray live on for minutes and would hold a pipe open.
        out = tmp_path / f"output-{len(started)}.txt"
        with out.open("w") as stream:
            process = subprocess.Popen(command, stdout=stream, stderr=subprocess.STDOUT)
        started.append(process)
        return Search(process, out)

    yield start_search
    for process in started:
        if process.poll() is None:
            process.kill()
            process.wait()


def trials_of(run: Path) -> list[FrozenTrial]:
    storage = f"sqlite:///{run}/study.db"
    return optuna.load_study(study_name="search", storage=storage).trials


@dataclass
class Search:
    """A search in a process of its own, and the file of what it prints."""

    process: subprocess.Popen[bytes]
    out: Path

    def ended(self) -> tuple[int, str]:
        """Wait for the end; return the exit code and what was printed."""
        code = self.process.wait(timeout=WAIT_S)
        return code, self.out.read_text()


def finished(search: Search) -> str:
    code, printed = search.ended()
    assert code == 0, printed
    return printed


def wait_for(condition: Callable[[], bool], search: Search) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert search.process.poll() is None, search.ended()
        assert time.monotonic() < deadline, "took too long"
        time.sleep(0.02)


def num_epochs_written(run: Path) -> int:
    curves = run.glob("trials/*/metrics.csv")
    return sum(len(pd.read_csv(path)) for path in curves)


def workers_of(search: Search) -> list[int]:
    """Return the process ids of the trials' workers below a search."""
    listed = subprocess.run(
        ["ps", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True
    ).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()[1:]]
    below = {search.process.pid}
    for _ in range(4):
        below |= {int(pid) for pid, parent, _ in rows if int(parent) in below}
    return [int(pid) for pid, _, args in rows if int(pid) in below and "TrainTrial" in args]


def test_a_search_runs_to_its_end_and_can_be_extended(start, tmp_path):
    run = tmp_path / "runs" / "a"
    output = finished(start())
    trials = trials_of(run)
    assert len(trials) == 5
    assert {t.state for t in trials} <= {TrialState.COMPLETE, TrialState.PRUNED}
    for trial in trials:
        curve = pd.read_csv(run / "trials" / f"{trial.number:04d}" / "metrics.csv")["val/f1"]
        assert list(trial.intermediate_values.values()) == pytest.approx(curve.tolist())
        told = curve.max() if trial.state == TrialState.COMPLETE else curve.iloc[-1]
        assert trial.value == pytest.approx(told)
    assert "on the test part" in output
    assert "python -m analysis.export" in output
    assert not [line for line in output.splitlines() if "ray" in line.lower().split()]
    assert json.loads((run / "run.json").read_text())["metric"] == "val/f1"
    assert len(pd.read_csv(run / "leaderboard.csv")) == 5
    assert not (run / ".ray").exists()

    finished(start("--resume", str(run), "--trials", "7", new=False))
    extended = trials_of(run)
    assert len(extended) == 7
    assert [t.value for t in extended[:5]] == [t.value for t in trials]


def test_a_search_that_was_killed_and_interrupted_ends_as_asked(start, tmp_path):
    run = tmp_path / "runs" / "a"
    search = start()
    wait_for(lambda: num_epochs_written(run) >= 3, search)
    search.process.kill()
    search.ended()

    search = start("--resume", str(run), new=False)
    before = num_epochs_written(run)
    wait_for(lambda: num_epochs_written(run) >= before + 2, search)
    search.process.send_signal(signal.SIGINT)
    code, printed = search.ended()
    assert code == 130
    assert f"Interrupted. Go on with: python -m search.run --resume {run}" in printed
    assert TrialState.RUNNING not in {t.state for t in trials_of(run)}

    finished(start("--resume", str(run), new=False))
    trials = trials_of(run)
    assert [t.number for t in trials] == [0, 1, 2, 3, 4]
    assert {t.state for t in trials} <= {TrialState.COMPLETE, TrialState.PRUNED}
    for trial in trials:
        curve = pd.read_csv(run / "trials" / f"{trial.number:04d}" / "metrics.csv")
        assert curve["epoch"].tolist() == sorted(trial.intermediate_values)


def test_a_worker_that_is_killed_goes_on_from_its_checkpoint(start, tmp_path):
    run = tmp_path / "runs" / "a"
    search = start("--trials", "2", "--max-epochs", "12", "--grace-period", "12")
    workers: list[int] = []

    def has_workers() -> bool:
        workers[:] = workers_of(search)
        return num_epochs_written(run) >= 3 and workers != []

    wait_for(has_workers, search)
    worker = workers[0]
    assert Path(f"/proc/{worker}/cwd").resolve() == Path.cwd()
    os.kill(worker, signal.SIGKILL)
    finished(search)
    trials = trials_of(run)
    assert [t.state for t in trials] == [TrialState.COMPLETE] * 2
    assert [sorted(t.intermediate_values) for t in trials] == [list(range(1, 13))] * 2

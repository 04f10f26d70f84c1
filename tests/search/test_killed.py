"""kill -9 at every moment of what a search writes: a process of its own is killed for real."""

import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from optuna.trial import TrialState

from analysis.leaderboard import write_leaderboard
from analysis.run_folder import RunFolder
from analysis.study_file import STUDY_FILE, read_trials
from search.arguments import parse_arguments
from search.engine import _new_ledger
from search.ledger import Ledger
from search.open_study import open_study
from search.plan import SearchPlan, make_plan
from search.run import main
from search.run_record import create_run_folder, read_record, record_resume
from trainable.trial_folder import TrialFolder

pytestmark = pytest.mark.slow

# Each changes what is on disk, or is about to.
MOMENTS = ("open", "os.rename", "os.remove", "os.mkdir", "shutil.rmtree", "sqlite3.connect")
MOST_MOMENTS = 60


def is_killed_at(moment: int, function: Callable[[], object]) -> bool:
    """Run a function in a process that kills itself at its nth change of the disk.

    Returns:
        Whether it was killed; if not, it has run to its end.
    """
    process = os.fork()
    if process == 0:
        left = [moment]

        def kill_at_last(event: str, arguments: tuple[object, ...]) -> None:
            if event in MOMENTS and (event != "open" or arguments[1] not in (None, "r", "rb")):
                left[0] -= 1
                if left[0] == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(kill_at_last)
        status = 1
        try:
            function()
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(process, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the function failed"
    return os.WIFSIGNALED(status)


def kills(function: Callable[[], object]) -> Iterator[int]:
    """Kill a function at its first, second, … moment; end once it has run through.

    Yields:
        The number of the moment.
    """
    for moment in range(1, MOST_MOMENTS):
        was_killed = is_killed_at(moment, function)
        yield moment
        if not was_killed:
            assert moment > 1, "nothing was there to kill"
            return
    raise AssertionError("never ran to its end")


@pytest.fixture
def plan(space_file, coloured_folder, cache_dir, tmp_path) -> SearchPlan:
    options = {"space": space_file, "data": coloured_folder, "name": "mine", "keep-checkpoints": 1}
    options |= {"grace-period": 3, "runs-dir": tmp_path / "runs", "cache-dir": cache_dir}
    pairs = [text for name, value in options.items() for text in (f"--{name}", str(value))]
    return make_plan(parse_arguments(pairs))


def test_a_run_folder_is_there_whole_or_not_at_all(plan, capsys):
    run = plan.run_folder
    found = []
    for _ in kills(lambda: create_run_folder(plan, [])):
        found.append(run.exists())
        if run.exists():
            again = make_plan(parse_arguments(["--resume", str(run)]))
            assert again.options == plan.options
            assert RunFolder(run).trials == ()
            shutil.rmtree(run)
        else:
            assert main(["--resume", str(run)]) == 2
            (line,) = capsys.readouterr().err.splitlines()
            assert line.startswith(f"{run}: expected a run folder with run.json, got no such fol")
    assert found.count(False) > 4
    assert found[-1]


def test_the_record_stays_readable_while_a_search_goes_on(plan, tmp_path):
    run = create_run_folder(plan, [])
    new = tmp_path / "new.py"
    new.write_text(plan.space.source.replace("1e-3", "1e-4"))
    changed = make_plan(parse_arguments(["--resume", str(run), "--space", str(new)]))
    for _ in kills(lambda: record_resume(changed, ["--resume", str(run)])):
        assert read_record(run)["metric"] == "val/f1"
        assert (run / "space.py").read_text() in (plan.space.source, changed.space.source)
        kept = {path.read_text() for path in run.glob("space*.py")}
        assert plan.space.source in kept
    assert (run / "space.py").read_text() == changed.space.source


class Nobody:
    """An audience that does not listen."""

    def __getattr__(self, name):
        return lambda *arguments, **more: None


def open_ledger(plan: SearchPlan) -> Ledger:
    return _new_ledger(plan, plan.run_folder, open_study(plan, plan.run_folder), Nobody())


def train(ledger: Ledger, run_folder: Path, value: float) -> int:
    """Have a trial do one epoch, as its worker would."""
    number = ledger.next_trial().number
    folder = TrialFolder.of(run_folder, number)
    (folder.checkpoint / "last-00001").mkdir(parents=True)
    (folder.checkpoint / "last-00001" / "state.pt").write_bytes(b"state")
    folder.best_weights.write_bytes(b"weights")
    folder.write_metrics([{"epoch": 1, "val/f1": value, "seconds": 1.0}])
    return number


@pytest.fixture
def run(plan) -> Path:
    """Return a run folder in which a trial has ended and the next has done its last epoch."""
    run = create_run_folder(plan, [])
    ledger = open_ledger(plan)
    end(ledger, train(ledger, run, 0.3), {"finished": "epochs"}, 0.3)
    train(ledger, run, 0.9)
    ledger.study.close()
    return run


def end(ledger: Ledger, number: int, how: dict[str, str], value: float) -> None:
    result = {"epoch": 1, "val/f1": value, "finished": "", "failed": ""} | how
    ledger.ended(number, result, died=False)


@pytest.mark.parametrize(
    ("how", "state"),
    [
        ({"finished": "epochs"}, TrialState.COMPLETE),
        ({"failed": "train/loss: nan"}, TrialState.FAIL),
    ],
)
def test_a_trial_that_ends_is_put_in_order_by_the_next_process(plan, run, tmp_path, how, state):
    before = shutil.copytree(run, tmp_path / "before")

    def go_on() -> Ledger:
        ledger = open_ledger(plan)
        if not ledger.study.trials[1].state.is_finished():
            end(ledger, ledger.next_trial().number, how, 0.9)
        return ledger

    found = set()
    for _ in kills(go_on):
        found.add(read_trials(run / STUDY_FILE)[1].state)
        ledger = go_on()
        assert [trial.state for trial in ledger.study.trials] == [TrialState.COMPLETE, state]
        ledger.study.close()
        assert not list(run.glob("trials/*/checkpoint/last-*"))
        first, second = (TrialFolder.of(run, number) for number in (0, 1))
        assert first.best_weights.exists() != second.best_weights.exists()
        assert second.best_weights.exists() == (state == TrialState.COMPLETE)
        assert second.error.exists() == (state == TrialState.FAIL)
        shutil.rmtree(run)
        shutil.copytree(before, run)
    assert state in found
    assert len(found) > 1


def test_the_leaderboard_is_there_whole_or_not_at_all(run):
    for _ in kills(lambda: write_leaderboard(RunFolder(run))):
        if (run / "leaderboard.csv").exists():
            assert pd.read_csv(run / "leaderboard.csv")["trial"].tolist() == [0, 1]
            (run / "leaderboard.csv").unlink()

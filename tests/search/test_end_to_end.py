"""The main job as a user runs it, with a real Ray: to the end, interrupted, and with a mistake."""

import json
import os
import signal
import socket
import struct
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pandas as pd
import pytest
from optuna.trial import TrialState

from tests.search.conftest import AS_A_USER

pytestmark = pytest.mark.slow

SPACE = """
DEFAULTS = {"trials": 5, "max_epochs": 4, "grace_period": 1, "reduction_factor": 2}

def space(trial):
    trial.suggest_categorical("backbone/name", ["test_efficientnet"])
    trial.suggest_categorical("resize", ["32x24"])
    trial.suggest_categorical("optimizer/name", ["adamw"])
    trial.suggest_float("optimizer/lr", 1e-4, 1e-1, log=True)
"""
LONGER = ["--trials", "8", "--max-epochs", "12", "--grace-period", "4", "--set", "resize=[64,48]"]
LOOPBACK = {"127.0.0.1", "::1", "::ffff:127.0.0.1"}


def addresses_listened_on(processes: Iterable[int]) -> Counter[str]:
    """Return the addresses at which some processes wait for connections, as the kernel has it."""
    sockets = set()
    for process in processes:
        for descriptor in Path(f"/proc/{process}/fd").glob("*"):
            try:
                sockets.add(str(descriptor.readlink()))
            except FileNotFoundError:
                continue
    return Counter(
        _address(columns[1].partition(":")[0])
        for table in ("tcp", "tcp6")
        for columns in map(str.split, Path(f"/proc/net/{table}").read_text().splitlines()[1:])
        if columns[3] == "0A" and f"socket:[{columns[9]}]" in sockets
    )


def _address(digits: str) -> str:
    """Return an address as text, of digits that come as words in the machine's order."""
    words = [int(digits[start : start + 8], 16) for start in range(0, len(digits), 8)]
    packed = struct.pack(f"={len(words)}I", *words)
    return socket.inet_ntop(socket.AF_INET if len(words) == 1 else socket.AF_INET6, packed)


def test_a_search_runs_to_its_end_and_can_be_extended(start):
    search = start(space=SPACE, program=AS_A_USER)
    output, run, trials = search.finished(), search.run, search.trials()
    assert len(trials) == 5
    assert {t.state for t in trials} <= {TrialState.COMPLETE, TrialState.PRUNED}
    for trial in trials:
        curve = search.curves()[trial.number]["val/f1"]
        assert list(trial.intermediate_values.values()) == pytest.approx(curve.tolist())
        told = curve.max() if trial.state == TrialState.COMPLETE else curve.iloc[-1]
        assert trial.value == pytest.approx(told)
    assert "gain on test" in output
    assert "python -m analysis.predict" in output
    assert (run / "ensemble" / "bundle.json").is_file()
    assert f"Report:  {run / 'report.html'}" in output
    assert (run / "report.html").stat().st_size > 2**20
    assert not [line for line in output.splitlines() if "ray" in line.lower().split()]
    assert json.loads((run / "run.json").read_text())["metric"] == "val/f1"
    assert len(pd.read_csv(run / "leaderboard.csv")) == 5
    assert not (run / ".ray").exists()

    search = start("--trials", "7", new=False)
    search.finished()
    assert len(search.trials()) == 7
    assert [t.value for t in search.trials()[:5]] == [t.value for t in trials]


def test_a_worker_that_is_killed_goes_on_from_its_checkpoint(start):
    options = ["--trials", "2", "--max-epochs", "12", "--grace-period", "12"]
    search = start(*options, space=SPACE)
    workers: list[int] = []

    def has_workers() -> bool:
        workers[:] = search.workers()
        return search.num_epochs() >= 3 and workers != []

    search.wait_for(has_workers)
    worker = workers[0]
    assert Path(f"/proc/{worker}/cwd").resolve() == Path.cwd()
    os.kill(worker, signal.SIGKILL)
    search.finished()
    trials = search.trials()
    assert [t.state for t in trials] == [TrialState.COMPLETE] * 2
    assert [sorted(t.intermediate_values) for t in trials] == [list(range(1, 13))] * 2


def test_sigterm_and_ctrl_c_twice_end_a_search_that_goes_on_afterwards(start):
    search = start(*LONGER, space=SPACE, program=AS_A_USER)
    search.wait_for_epochs(1)
    listening = addresses_listened_on(search.processes())
    assert listening.total() > 8
    assert set(listening) <= LOOPBACK
    dashboard = search.out.read_text().partition("dashboard: ")[2].split()[0]
    with pytest.raises(HTTPError, match="401"):  # it asks for a token
        urlopen(f"{dashboard}/api/jobs/")
    search.process.terminate()
    code, printed = search.ended()
    assert code == 130
    assert f"Interrupted. Go on with: python -m search.run --resume {search.run}" in printed
    assert "Traceback" not in printed
    assert TrialState.RUNNING not in {t.state for t in search.trials()}

    before = search.num_epochs()
    search = start(new=False)
    search.wait_for_epochs(before + 1)
    for _ in range(2):  # to the whole group, as a terminal does
        os.killpg(search.process.pid, signal.SIGINT)
        time.sleep(0.05)
    code, printed = search.ended()
    assert code == 130
    assert printed.count("Interrupted. Go on with") == 1
    assert TrialState.RUNNING not in {t.state for t in search.trials()}


MISTAKEN = """
import sys
from search import study
from search.run import main

def report(self, number, *, epoch, value):
    if epoch == 3:
        raise LookupError("a mistake of ours")
    found(self, number, epoch=epoch, value=value)

found, study.SearchStudy.report = study.SearchStudy.report, report
sys.exit(main())
"""


def test_an_error_of_our_own_is_one_line_and_leaves_trials_to_go_on_with(start, running_ray):
    search = start(*LONGER, *running_ray, space=SPACE, program=("-c", MISTAKEN))
    code, printed = search.ended()
    assert code == 1
    (said,) = [line for line in printed.splitlines() if "LookupError" in line]
    assert said.startswith("search: expected no error of its own, got LookupError: a mistake")
    assert f"{search.run}/crash.txt" in said
    assert f"--resume {search.run}" in said
    assert "Traceback" not in printed
    assert "LookupError: a mistake of ours" in (search.run / "crash.txt").read_text()
    states = {trial.state for trial in search.trials()}
    assert TrialState.WAITING in states
    assert TrialState.RUNNING not in states

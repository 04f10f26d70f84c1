"""The script for Slurm, run to its end with this machine in the place of Slurm's nodes."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import optuna
import pytest
from optuna.trial import TrialState

SCRIPT = Path(__file__).parents[2] / "deploy" / "slurm.sh"
WAIT_S = 600
SPACE = """
def space(trial):
    trial.suggest_categorical("backbone/name", ["test_efficientnet"])
    trial.suggest_categorical("resize", ["32x32"])
    trial.suggest_categorical("optimizer/name", ["adamw"])
    trial.suggest_float("optimizer/lr", 1e-3, 1e-1, log=True)
"""
COMMANDS = {
    "scontrol": "#!/bin/sh\nhostname\n",
    # Runs the command of a task as Slurm would on a node.
    "srun": '#!/bin/sh\nwhile [ "${1#--}" != "$1" ]; do shift; done\nexec "$@"\n',
}


def free_port() -> str:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return str(found.getsockname()[1])


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """Yield a folder for Ray, whose paths of sockets may not be long."""
    folder = Path(mkdtemp(prefix="ray", dir="/tmp"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def nodes(tmp_path, short_folder) -> dict[str, str]:
    """Return the environment of a job of Slurm on one node with one core."""
    commands = tmp_path / "bin"
    commands.mkdir()
    for name, text in COMMANDS.items():
        (commands / name).write_text(text)
        (commands / name).chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    return kept | {
        "PATH": f"{commands}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(SCRIPT.parents[1]),
        "HOME": str(tmp_path),
        "RAY_TMPDIR": str(short_folder),
        "SEARCH_PORT": free_port(),
        "SLURM_JOB_ID": str(os.getpid()),
        "SLURM_JOB_NODELIST": "node[1]",
        "SLURM_JOB_NUM_NODES": "1",
        "SLURM_CPUS_PER_TASK": "1",
    }


@pytest.mark.slow
def test_a_search_whose_time_is_nearly_up_ends_in_order(nodes, coloured_folder, tmp_path):
    (tmp_path / "tiny.py").write_text(SPACE)
    what = ("--space", "tiny.py", "--data", str(coloured_folder), "--cache-dir", "cache")
    options = ("--name", "a", "--trials", "1", "--max-epochs", "500")
    out = tmp_path / "out.txt"
    with out.open("w") as stream:
        job = subprocess.Popen(
            ["bash", str(SCRIPT), *what, *options],
            cwd=tmp_path,
            env=nodes,
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
    curve = tmp_path / "runs" / "a" / "trials" / "0000" / "metrics.csv"
    deadline = time.monotonic() + WAIT_S
    while not curve.exists():
        assert job.poll() is None, out.read_text()
        assert time.monotonic() < deadline, out.read_text()
        time.sleep(0.2)
    job.send_signal(signal.SIGTERM)  # as --signal=B:TERM@300 does
    assert job.wait(120) == 130, out.read_text()
    assert "Interrupted. Go on with: python -m search.run --resume runs/a" in out.read_text()
    study = optuna.load_study(study_name="search", storage=f"sqlite:///{tmp_path}/runs/a/study.db")
    assert [trial.state for trial in study.trials] == [TrialState.WAITING]
    assert list(tmp_path.glob(".ray-token-*")) == []

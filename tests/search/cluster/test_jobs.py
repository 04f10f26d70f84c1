"""A search sent to a real cluster: listed, looked at, stopped, gone on with, all by its token."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Timer

import optuna
import pytest
from optuna.trial import TrialState

from search.jobs import Jobs
from search.submit import main
from trainable.errors import ConfigError

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("ray_auth_undone")]

WAIT_S = 600
WHERE = """
import json, ray
from search.cluster import joined_cluster

@ray.remote
def where():
    import trainable
    return trainable.__file__

with joined_cluster({address!r}):
    print(json.dumps(ray.get(where.remote())))
"""


def wait_for(condition) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.fixture
def submit(ray_cluster, monkeypatch, capsys):
    """Return a function that runs the command on the cluster; it returns what was printed."""
    ray_cluster.put_into(monkeypatch)
    monkeypatch.setenv("RAY_API_SERVER_ADDRESS", "")

    def run(*arguments: str, code: int = 0) -> str:
        assert main(["--address", ray_cluster.dashboard, *arguments]) == code
        printed = capsys.readouterr()
        return printed.err if code == 2 else printed.out

    return run


@pytest.mark.parametrize("token", ["", "wrong" * 10])
def test_without_the_right_token_nothing_is_told(ray_cluster, monkeypatch, tmp_path, token):
    monkeypatch.setenv("RAY_AUTH_TOKEN", token)
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(ConfigError, match="expected the token of the cluster at 'http") as caught:
        Jobs(ray_cluster.dashboard)
    assert len(caught.value.problems) == 1


def test_workers_run_the_packages_of_the_search_and_not_what_is_installed_there(ray_cluster):
    program = WHERE.format(address=ray_cluster.gcs)
    repository = Path(__file__).parents[3]
    environment = ray_cluster.environment | {"PYTHONPATH": str(repository)}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ray_cluster.folder,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    there = Path(json.loads(done.stdout))
    assert there.is_relative_to(ray_cluster.folder / "t")
    assert there.read_bytes() == (repository / "trainable" / "__init__.py").read_bytes()


def test_a_search_is_sent_stopped_and_gone_on_with(
    submit, space_file, coloured_folder, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)  # from a folder that is not that of the repository
    run = tmp_path / "runs" / "a"
    what = ("--space", space_file.name, "--data", str(coloured_folder), "--cache-dir", "cache")
    epochs = ("--trials", "2", "--max-epochs", "90", "--grace-period", "90")
    assert submit("--", *what, "--name", "a", *epochs).startswith(f"Sent: a (run folder {run})")
    assert submit("--list").splitlines()[1].startswith("a ")
    wait_for(lambda: len(list(run.glob("trials/*/metrics.csv"))) == 2)
    assert "a: running, 0:" in submit("--status", "a")
    Timer(1, os.kill, (os.getpid(), signal.SIGINT)).start()
    submit("--logs", "a", "--follow", code=130)
    again = submit("--", *what, "--name", "a", code=2)
    assert again.startswith(
        f"--name: expected a run folder in which nothing is running, got {run}"
    )
    stopped = submit("--stop", "a")
    assert stopped.startswith("a: stopped. Go on with:\n")
    assert stopped.rstrip().endswith(f"-- --resume {run}")
    assert "Interrupted. Go on with:" in submit("--logs", "a")
    assert states(run) == [TrialState.WAITING] * 2
    assert "got 'a', which is stopped" in submit("--stop", "a", code=2)

    assert submit("--", "--resume", "runs/a").startswith("Sent: a-2 ")
    followed = submit("--logs", "a-2", "--follow")
    assert "Report:  runs/a/report.html" in followed
    assert states(run) == [TrialState.COMPLETE] * 2
    listed = submit("--list").splitlines()
    assert [line.split()[:2] for line in listed[1:]] == [["a", "stopped"], ["a-2", "done"]]
    assert "Did you mean 'a-2'?" in submit("--logs", "a-3", code=2)


def states(run: Path) -> list[TrialState]:
    study = optuna.load_study(study_name="search", storage=f"sqlite:///{run}/study.db")
    return [trial.state for trial in study.trials]

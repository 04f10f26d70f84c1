"""A search given Ray's client address, from a terminal that is none of the cluster's."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from search import client_server
from search.client_server import CONNECT_TRIES, job_server
from tests.search.conftest import WAIT_S
from trainable.errors import ConfigError

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("ray_auth_undone")]

ROOT = Path(__file__).parents[3]
OTHER_RAY = """
import ray, sys
ray.__version__ = "2.59.0"
from search.run import main
sys.exit(main())
"""


@pytest.fixture
def start(ray_cluster, space_file, coloured_folder, tmp_path):
    """Return a function that starts a search through Ray's client, and ends what it started."""
    started = []
    what = ("--space", space_file.name, "--data", str(coloured_folder), "--cache-dir", "cache")

    def start(*arguments: str, address: str = "", resumes: bool = False, **variables: str):
        program = ("-c", OTHER_RAY) if "OTHER_RAY" in variables else ("-m", "search.run")
        given = arguments if resumes else (*what, *arguments)
        environment = {"PYTHONPATH": str(ROOT), **ray_cluster.environment, **variables}
        process = subprocess.Popen(
            [sys.executable, *program, "--address", address or ray_cluster.client, *given],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def wait_for(condition) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def states(run: Path) -> list[TrialState]:
    study = optuna.load_study(study_name="search", storage=f"sqlite:///{run}/study.db")
    return [trial.state for trial in study.trials]


def test_ctrl_c_stops_a_search_in_order_and_resume_goes_on_to_its_end(
    start, ray_cluster, tmp_path
):
    run = tmp_path / "runs" / "a"
    epochs = ("--trials", "1", "--max-epochs", "90", "--grace-period", "90")
    search = start("--name", "a", *epochs)
    wait_for(lambda: list(run.glob("trials/*/metrics.csv")) or search.poll() is not None)
    assert search.poll() is None, search.communicate()
    os.kill(search.pid, signal.SIGINT)
    printed, _ = search.communicate(timeout=240)
    assert search.returncode == 130, printed
    assert printed.startswith(f"Sent: a (run folder {run})\n")
    assert "Interrupted. Go on with:" in printed
    resume = f"  python -m search.run --address {ray_cluster.client} --resume {run}\n"
    assert printed.endswith(f"a: stopped. Go on with:\n{resume}")
    assert states(run) == [TrialState.WAITING]

    search = start("--resume", "runs/a", resumes=True)
    printed, said = search.communicate(timeout=300)
    assert search.returncode == 0, printed + said
    assert printed.count("Report:  runs/a/report.html") == 1
    assert states(run) == [TrialState.COMPLETE]


def test_a_search_that_cannot_begin_there_exits_as_it_does_here(start):
    search = start("--name", "b", "--data", "nowhere")
    printed, said = search.communicate(timeout=240)
    assert search.returncode == 2, said
    assert "data: expected" in printed


@pytest.mark.parametrize(
    ("address", "variables", "start_of_line"),
    [
        ("ray://127.0.0.1:1", {}, "--address: expected the client server of a running Ray clu"),
        ("", {"RAY_AUTH_TOKEN": "wrong" * 10}, "--address: expected the token of the cluster a"),
        ("", {"OTHER_RAY": ""}, "--address: expected Ray 2.60.0 and Python "),
    ],
)
def test_what_is_in_the_way_is_one_line(start, address, variables, start_of_line):
    search = start("--name", "c", address=address, **variables)
    _, said = search.communicate(timeout=150)
    assert search.returncode == 2
    [line] = said.splitlines()
    assert line.startswith(start_of_line)


def test_a_dashboard_that_does_not_answer_is_passed_over(ray_cluster, monkeypatch):
    ray_cluster.put_into(monkeypatch)
    monkeypatch.setenv("RAY_API_SERVER_ADDRESS", "http://127.0.0.1:1")
    assert job_server(ray_cluster.client) == ray_cluster.dashboard


def test_a_client_that_gets_no_server_is_tried_again(ray_cluster, monkeypatch):
    ray_cluster.put_into(monkeypatch)
    tries = []

    def told(address):
        tries.append(address)
        if len(tries) < CONNECT_TRIES:  # as the head says it of a server that died
            raise ConnectionError("psutil.ZombieProcess: PID still exists but it's a zombie.\n")
        return really_told(address)

    really_told = client_server._told
    monkeypatch.setattr(client_server, "_told", told)
    assert job_server(ray_cluster.client) == ray_cluster.dashboard
    tries.clear()
    monkeypatch.setattr(client_server, "CONNECT_TRIES", 1)
    with pytest.raises(ConfigError, match=r"a client, got psutil\.Zombie.* but it's a zombie\.$"):
        job_server(ray_cluster.client)

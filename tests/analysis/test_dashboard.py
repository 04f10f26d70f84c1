import json
import re
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest

from analysis.dashboard import main

TRIALS = [
    {"state": "complete", "curve": [0.1, 0.3]},
    {"state": "pruned", "curve": [0.2]},
    {"state": "running", "curve": [0.4]},
]


@pytest.mark.slow
def test_optuna_dashboard_shows_the_trials_until_it_is_interrupted(make_run):
    run = make_run("a run", TRIALS)
    process = subprocess.Popen(
        [sys.executable, "-m", "analysis.dashboard", str(run)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    line = process.stdout.readline()
    assert process.stdout.readline() == "Ctrl-C ends it.\n"
    host, study = re.fullmatch(
        r"Study of a run: (http://127\.0\.0\.1:\d+)/dashboard/studies/(\d+)\n", line
    ).groups()
    with urllib.request.urlopen(f"{host}/api/studies/{study}?after=0", timeout=60) as answer:
        trials = json.load(answer)["trials"]
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=60)
    assert [(trial["number"], trial["state"]) for trial in trials] == [
        (0, "Complete"),
        (1, "Pruned"),
        (2, "Running"),
    ]
    assert (process.returncode, rest) == (0, "\n")


def test_a_port_that_is_taken_is_one_line(make_run, capsys):
    run = make_run("a", TRIALS)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main([str(run), "--port", str(port)]) == 2
    assert capsys.readouterr().err == (
        f"--port: expected a port that is free, got {port} ('Address already in use'). "
        "Give another one.\n"
    )


def test_without_a_study_nothing_is_made(make_run, capsys):
    run = make_run("a", TRIALS)
    (run / "study.db").unlink()
    assert main([str(run)]) == 2
    assert "study.db" in capsys.readouterr().err
    assert not (run / "study.db").exists()


@pytest.mark.parametrize("port", ["0", "65536", "http"])
def test_a_wrong_port_is_one_line(make_run, capsys, port):
    assert main([str(make_run("a", TRIALS)), "--port", port]) == 2
    assert capsys.readouterr().err == f"--port: expected a port from 1 to 65535, got {port!r}.\n"

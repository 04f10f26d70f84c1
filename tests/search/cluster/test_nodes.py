"""Machines of a cluster, in network namespaces: one joins late, is used, and is lost."""

import signal
import subprocess
import sys

import pytest
from optuna.trial import TrialState
from pandas.testing import assert_frame_equal

from tests.search.conftest import AS_A_USER

pytestmark = pytest.mark.slow

NODE_CPUS = ("--num-cpus", "1")
SHORT = ("--trials", "1", "--max-epochs", "1", "--grace-period", "1")
EPOCHS = 250  # a machine takes some ten seconds to join, as many as a trial takes


@pytest.fixture(autouse=True)
def _environment(ray_network, monkeypatch):
    ray_network.put_into(monkeypatch)


def test_a_machine_that_joins_late_is_used_and_one_that_dies_survived(
    start, ray_network, namespace
):
    epochs = ("--max-epochs", str(EPOCHS), "--grace-period", str(EPOCHS), "--trials", "3")
    search = start(*epochs, "--address", ray_network.gcs, program=AS_A_USER)
    search.wait_for_epochs(1)
    # In a folder where nothing of the repository is.
    node = ray_network.start(
        "--address", ray_network.gcs, *NODE_CPUS, prefix=namespace.prefix, ip=namespace.ip
    )
    # Each machine has one core: two trials train at once on two of them.
    search.wait_for(lambda: len(unfinished(search)) == 2)
    before = search.curves()
    namespace.lose_power()
    node.wait(60)
    printed = search.finished()
    assert "its process died; it is tried again from its last epoch" in printed
    trials = search.trials()
    assert [trial.state for trial in trials] == [TrialState.COMPLETE] * 3
    assert [len(trial.intermediate_values) for trial in trials] == [EPOCHS] * 3
    for number, curve in before.items():
        assert_frame_equal(search.curves()[number].head(len(curve)), curve)


def unfinished(search) -> list[int]:
    return [number for number, length in search.lengths().items() if 2 <= length < EPOCHS]


def test_data_that_a_machine_does_not_see_is_named_before_trials_start(
    ray_network, namespace, coloured_folder, space_file, tmp_path
):
    run = tmp_path / "seen" / "first"
    what = ("--space", space_file, "--data", coloured_folder, "--cache-dir", tmp_path / "cache")
    on_cluster = ("--address", ray_network.gcs)
    ended("search.run", *what, *on_cluster, "--runs-dir", run.parent, "--name", run.name, *SHORT)
    hidden = f'mount -t tmpfs none {coloured_folder} && exec "$@"'
    node = ray_network.start(
        *("--address", ray_network.gcs, *NODE_CPUS),
        prefix=(*namespace.prefix, "sh", "-c", hidden, "sh"),
        ip=namespace.ip,
    )
    runs, out = tmp_path / "runs", tmp_path / "final"
    refused = [
        ended("search.run", *what, *on_cluster, "--runs-dir", runs, code=2),
        ended("search.refit", run, "--members", "0", "--out", out, *on_cluster, code=2),
    ]
    node.send_signal(signal.SIGTERM)
    node.wait(60)
    for errors in refused:
        [line] = errors.splitlines()
        assert line.startswith(
            f"node {namespace.ip}: --data: expected the same images as on the machine of the "
            f"search, got no {coloured_folder}/"
        )
        assert line.endswith("Keep data on storage that all nodes share, at the same path.")
    assert not runs.exists()
    assert not out.exists()


def ended(module, *options, code=0) -> str:
    """Run a command to its end and return what it wrote to its error stream."""
    command = [sys.executable, "-m", module, *map(str, options)]
    done = subprocess.run(command, capture_output=True, check=False, text=True)
    assert done.returncode == code, done.stderr
    return done.stderr

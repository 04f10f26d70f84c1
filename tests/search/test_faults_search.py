"""Faults of a running search, made to happen for real: trials that hang, disks that fill."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from optuna.trial import TrialState

pytestmark = pytest.mark.slow

READ_ONLY = ("Read-only file system", "readonly database", "unable to open database file")
LONG = ("--max-epochs", "8", "--grace-period", "8")


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """Return a file system of 48 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"a file system cannot be mounted here: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Have a folder read-only for a while, also where files in it are open for writing."""
    view = folder.with_name("view")
    view.mkdir()
    mount("--bind", folder, view)
    mount("-o", "remount,bind,ro", view)
    mount("--bind", view, folder)
    yield
    for path in (folder, view):
        subprocess.run(["umount", "--lazy", str(path)], check=True)


def mount(*arguments: str | Path) -> None:
    subprocess.run(["mount", *map(str, arguments)], check=True)


def fill(folder: Path) -> Path:
    """Write to a file until nothing more fits into its file system."""
    path = folder / "others"
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(2**12))
        except OSError:
            return path


def assert_ended_with_one_line(search, *reasons: str) -> None:
    code, printed = search.ended()
    assert code == 1, printed
    last = printed.strip().splitlines()[-1]
    assert last.startswith(str(search.run)), printed
    assert any(reason in last for reason in reasons), printed
    assert f"--resume {search.run}" in last
    assert "Traceback" not in printed


def test_a_trial_that_hangs_is_killed_tried_again_and_at_last_failed(start):
    options = ("--trials", "2", "--max-concurrent", "1", "--max-failures", "1")
    search = start(*LONG, *options, "--trial-timeout", "12s")
    owner = search.run / "trials" / "0000" / "owner"
    stopped: dict[int, str] = {}

    def stop_worker() -> bool:
        """Stop a worker that has begun with the trial: nothing reaches it but SIGKILL."""
        claim = owner.read_text()
        workers = [worker for worker in search.workers() if worker not in stopped]
        if claim in stopped.values() or not workers:
            return False
        [worker] = workers
        os.kill(worker, signal.SIGSTOP)
        stopped[worker] = claim
        return True

    search.wait_for_epochs(2)
    search.wait_for(stop_worker)
    search.wait_for(stop_worker)
    printed = search.finished()
    failed, complete = search.trials()
    assert "Traceback" not in printed
    assert "trial 0000: hung: no epoch in 12 s; it is tried again from its last" in printed
    assert (failed.state, failed.user_attrs["reason"]) == (
        TrialState.FAIL,
        "hung: no epoch in 12 s",
    )
    assert (search.run / "trials/0000/error.txt").read_text() == "hung: no epoch in 12 s\n"
    assert complete.state == TrialState.COMPLETE
    assert sorted(complete.intermediate_values) == list(range(1, 9))
    for worker in stopped:
        assert not Path(f"/proc/{worker}").exists()


def test_a_full_or_read_only_run_folder_ends_the_search_which_then_goes_on(
    start, small_disk, running_ray
):
    search = start(*LONG, *running_ray, "--trials", "3", runs_dir=small_disk)
    search.wait_for_epochs(3)
    others = fill(small_disk)
    assert_ended_with_one_line(search, "No space left on device", "disk is full")
    others.unlink()

    search = start(runs_dir=small_disk, new=False)
    before = search.num_epochs()
    search.wait_for_epochs(before + 2)
    with read_only(small_disk):
        assert_ended_with_one_line(search, *READ_ONLY)
    assert all(len(curve) for curve in search.curves().values())

    search = start(runs_dir=small_disk, new=False)
    search.finished()
    assert [trial.state for trial in search.trials()] == [TrialState.COMPLETE] * 3
    for trial in search.trials():
        assert sorted(trial.intermediate_values) == list(range(1, 9))
        assert search.curves()[trial.number]["epoch"].tolist() == list(range(1, 9))


def test_a_worker_that_outlived_its_search_cannot_write_into_the_next(start):
    search = start("--max-epochs", "40", "--grace-period", "40", "--trials", "1")
    search.wait_for_epochs(2)
    [worker] = search.workers()
    os.kill(worker, signal.SIGSTOP)
    search.process.kill()
    search.ended()
    assert Path(f"/proc/{worker}").exists()

    search = start(new=False)
    search.finished()
    written = {path: path.read_bytes() for path in search.run.rglob("*") if path.is_file()}
    # Ray may have ended it by now; tests/trainable/test_ownership.py has one that lives on.
    with suppress(ProcessLookupError):
        os.kill(worker, signal.SIGCONT)
    deadline = time.monotonic() + 60
    while Path(f"/proc/{worker}").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not Path(f"/proc/{worker}").exists()
    assert {path: path.read_bytes() for path in search.run.rglob("*") if path.is_file()} == written

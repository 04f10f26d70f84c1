"""Prepared data, a space for it, and searches in processes of their own."""

import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import optuna
import pandas as pd
import pytest
from optuna.trial import FrozenTrial

from search.joining import AUTH_MODE
from trainable.data.prepared import PreparedData, prepare_data

WAIT_S = 600
AS_A_USER = ("-m", "search.run")
STORE_BYTES = 78 * 2**20  # the least that Ray allows is 75 MiB

SPACE = """
DEFAULTS = {"trials": 4, "max_epochs": 3, "grace_period": 1}

def space(trial):
    trial.suggest_categorical("backbone/name", ["test_efficientnet"])
    trial.suggest_categorical("resize", ["32x32"])
    trial.suggest_categorical("optimizer/name", ["adamw"])
    trial.suggest_float("optimizer/lr", 1e-3, 1e-1, log=True)
"""

# What a search imports, in the order of its needs.
IMPORTED = [f"search.{name}" for name in ("plan", "open_study", "engine", "tuning", "conclusion")]
FORKED = """
import os, sys
from search.run import main
os.setsid()
os.environ.clear()
os.environ.update({environment!r})
with open({out!r}, "wb") as stream:
    os.dup2(stream.fileno(), 1)
    os.dup2(stream.fileno(), 2)
sys.exit(main({arguments!r}))
"""


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def data(coloured_folder, cache_dir) -> PreparedData:
    return prepare_data(str(coloured_folder), cache_dir=cache_dir, seed=0)


@pytest.fixture
def space_file(tmp_path) -> Path:
    path = tmp_path / "tiny.py"
    path.write_text(SPACE)
    return path


class Forked:
    """A search forked from a process that has done its imports, to be used as Popen's.

    They are most of what a short search costs.
    """

    def __init__(self, arguments: list[str], out: Path) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(IMPORTED)
        told = {"out": str(out), "arguments": arguments, "environment": dict(os.environ)}
        code = FORKED.format(**told)
        self._process = context.Process(target=exec, args=(code, {}))
        self._process.start()
        self.pid = self._process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        code = self._process.exitcode
        assert code is not None, "took too long"
        return code

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        self._process.kill()


@pytest.fixture
def ray_auth_undone(monkeypatch) -> Iterator[None]:
    """Undo what a test changes of Ray's token, which Ray keeps in this process besides."""
    monkeypatch.setenv(AUTH_MODE, "")  # so that it is as before in the end, whoever sets it
    monkeypatch.delenv(AUTH_MODE)
    yield
    from ray._raylet import AuthenticationTokenLoader, Config

    monkeypatch.undo()
    AuthenticationTokenLoader.instance().reset_cache()
    Config.initialize("")


@pytest.fixture(scope="session")
def running_ray() -> Iterator[tuple[str, ...]]:
    """Return the options of a search that joins a Ray which runs already, of two cores."""
    from ray.cluster_utils import Cluster  # only slow tests need Ray

    head = {"num_cpus": 2, "object_store_memory": STORE_BYTES, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    yield ("--address", cluster.address, "--gpus-per-trial", "0")
    cluster.shutdown()


@dataclass
class Search:
    """A search in a process of its own, the file of what it prints, and its run folder."""

    process: subprocess.Popen[bytes] | Forked
    out: Path
    run: Path

    def ended(self) -> tuple[int, str]:
        """Wait for the end; return the exit code and what was printed."""
        code = self.process.wait(timeout=WAIT_S)
        return code, self.out.read_text()

    def finished(self) -> str:
        """Wait for the end, which must be a good one; return what was printed."""
        code, printed = self.ended()
        assert code == 0, printed
        return printed

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Wait until something holds while the search runs."""
        deadline = time.monotonic() + WAIT_S
        while not condition():
            assert self.process.poll() is None, self.ended()
            assert time.monotonic() < deadline, f"took too long: {self.out.read_text()}"
            time.sleep(0.05)

    def wait_for_epochs(self, count: int) -> None:
        """Wait until all trials together have written so many epochs."""
        self.wait_for(lambda: self.num_epochs() >= count)

    def num_epochs(self) -> int:
        """Return how many epochs all trials together have written."""
        return sum(self.lengths().values())

    def lengths(self) -> dict[int, int]:
        """Return how many epochs each trial has written, by its number."""
        files = self.run.glob("trials/*/metrics.csv")
        lines = {int(file.parent.name): file.read_bytes().count(b"\n") for file in files}
        return {number: count - 1 for number, count in lines.items()}  # the first has names

    def curves(self) -> dict[int, pd.DataFrame]:
        """Return the learning curve of each trial by its number."""
        files = self.run.glob("trials/*/metrics.csv")
        return {int(file.parent.name): pd.read_csv(file) for file in files}

    def trials(self) -> list[FrozenTrial]:
        """Return the trials of the study."""
        storage = f"sqlite:///{self.run}/study.db"
        return optuna.load_study(study_name="search", storage=storage).trials

    def workers(self) -> list[int]:
        """Return the process ids of the trials' workers below the search."""
        # The second name is the title while an epoch is trained: Tune's class around ours.
        names = ("ray::TrainTrial", "ray::ResourceTrainable")
        return [pid for pid, command in self.processes().items() if command.startswith(names)]

    def processes(self) -> dict[int, str]:
        """Return the processes of the search by id, the driver included: their command lines."""
        listed = subprocess.run(
            ["ps", "-ww", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True
        ).stdout
        rows = [line.split(None, 2) for line in listed.splitlines()[1:]]
        below = {self.process.pid}
        for _ in range(4):
            below |= {int(pid) for pid, parent, _ in rows if int(parent) in below}
        return {int(pid): arguments for pid, _, arguments in rows if int(pid) in below}


def popen(arguments: list[str], out: Path) -> subprocess.Popen[bytes]:
    """Start Python in a session of its own."""
    with out.open("w") as stream:
        return subprocess.Popen(
            [sys.executable, *arguments],
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


@contextmanager
def starting(folder: Path, images: Path) -> Iterator[Callable[..., Search]]:
    """Yield a function that starts ``search.run`` in a process of its own; end what it started."""
    started = []

    def start_search(
        *arguments: str,
        space: str = SPACE,
        runs_dir: Path = folder / "runs",
        new: bool = True,
        program: tuple[str, ...] = (),
    ) -> Search:
        run = runs_dir / "a"
        (folder / "tiny.py").write_text(space)
        options = {
            "--space": folder / "tiny.py",
            "--data": images,
            "--cache-dir": folder / "cache",
            "--runs-dir": runs_dir,
            "--name": "a",
        }
        given = options if new else {"--resume": run}
        texts = [*(str(text) for pair in given.items() for text in pair), *arguments]
        # Files, not pipes: agents of a killed Ray live on for minutes and would hold a pipe open.
        out = folder / f"output-{len(started)}.txt"
        out.touch()
        # Without a program of its own it is forked.
        started.append(popen([*program, *texts], out) if program else Forked(texts, out))
        return Search(started[-1], out, run)

    yield start_search
    for process in started:
        if process.poll() is None:
            process.kill()
            process.wait()


@pytest.fixture
def start(tmp_path, coloured_folder):
    """Return a function that starts ``search.run`` in a process of its own."""
    with starting(tmp_path, coloured_folder) as start_search:
        yield start_search


@pytest.fixture(scope="module")
def start_once(tmp_path_factory, coloured_folder):
    """Return a function as ``start`` does, for one search that all tests of a module look at."""
    with starting(tmp_path_factory.mktemp("once"), coloured_folder) as start_search:
        yield start_search

"""A Ray cluster as a team has it: a head that asks for a token, and nodes that join it."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp

import pytest

TOKEN = "0123456789abcdef" * 4
STORE_BYTES = 78 * 2**20  # the least that Ray allows is 75 MiB
START_S = 300
# What the dashboard shows of processes is else up to half a minute old.
FRESH = {
    "NODE_STATS_UPDATE_INTERVAL_SECONDS": "1",
    "RAY_DASHBOARD_STATS_UPDATING_INTERVAL": "1",
    "REPORTER_UPDATE_INTERVAL_MS": "1000",
}
RAY = str(Path(sys.executable).with_name("ray"))


def free_ports(count: int) -> list[str]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [str(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    return ports


@dataclass
class RayCluster:
    """The head of a cluster started by ``ray start``, and what else it has started.

    Args:
        folder: Where its processes run: not in the repository, of which they know nothing.
        ip: Address that the head listens on.
    """

    folder: Path
    ip: str = "127.0.0.1"
    gcs: str = ""
    dashboard: str = ""
    client: str = ""
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """Return what its processes, and those of its users, have in their environment."""
        kept = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
        return kept | {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": TOKEN,
            "RAY_USAGE_STATS_ENABLED": "0",
            "OMP_NUM_THREADS": "1",
            **FRESH,
        }

    def put_into(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Give this process the environment of a user of the cluster."""
        for name, value in self.environment.items():
            monkeypatch.setenv(name, value)

    def start_head(self, *, cpus: int) -> None:
        gcs, dashboard, agent, client = free_ports(4)
        self.gcs, self.dashboard = f"{self.ip}:{gcs}", f"http://127.0.0.1:{dashboard}"
        self.client = f"ray://127.0.0.1:{client}"
        ports = ("--port", gcs, "--dashboard-port", dashboard, "--ray-client-server-port", client)
        here = ("--dashboard-agent-listen-port", agent, "--temp-dir", str(self.folder / "t"))
        self.start("--head", *ports, *here, "--num-cpus", str(cpus))

    def start(self, *options: str, prefix: tuple[str, ...] = (), ip: str = "") -> subprocess.Popen:
        """Start a head or a node and wait until it is up; return its process."""
        log = self.folder / f"ray-{len(self.processes)}.txt"
        store = ("--object-store-memory", str(STORE_BYTES))
        command = [*prefix, RAY, "start", "--block", "--node-ip-address", ip or self.ip]
        with log.open("w") as stream:
            process = subprocess.Popen(
                [*command, *store, *options],
                stdout=stream,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                env=self.environment,
                start_new_session=True,
            )
        self.processes.append(process)
        deadline = time.monotonic() + START_S
        while "Ray runtime started" not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        return process

    def stop(self) -> None:
        for process in reversed(self.processes):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(60)


@contextmanager
def running_head(*, cpus: int, **place: str) -> Iterator[RayCluster]:
    folder = Path(mkdtemp(prefix="ray", dir="/tmp"))  # paths of sockets may not be long
    cluster = RayCluster(folder, **place)
    try:
        cluster.start_head(cpus=cpus)
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def ray_cluster() -> Iterator[RayCluster]:
    """Yield a cluster of a head with two cores."""
    with running_head(cpus=2) as cluster:
        yield cluster


@dataclass
class Namespace:
    """A network namespace, joined to this machine's own by a cable: a machine to the network."""

    name: str
    ip: str
    ip_of_head: str

    @property
    def prefix(self) -> tuple[str, ...]:
        """Return what a command begins with that runs there, with mounts of its own."""
        return ("ip", "netns", "exec", self.name, "unshare", "--mount")

    def lose_power(self) -> None:
        """Kill every process that runs there: a node that is told to end drains first."""
        command = ["ip", "netns", "pids", self.name]
        listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        for pid in map(int, listed.split()):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def ip_command(text: str) -> None:
    subprocess.run(["ip", *text.split()], check=True)


@pytest.fixture(scope="module")
def namespace() -> Iterator[Namespace]:
    """Yield a network namespace, where this machine lets us make one."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("a network namespace needs root and the command ip")
    number = os.getpid() % 250 + 1
    name, here, there = f"search{number}", f"sh{number}", f"st{number}"
    made = Namespace(name, f"10.213.{number}.2", f"10.213.{number}.1")
    add = ["ip", "netns", "add", name]
    tried = subprocess.run(add, capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.skip(f"no network namespace can be made here: {tried.stderr.strip()}")
    try:
        ip_command(f"link add {here} type veth peer name {there} netns {name}")
        ip_command(f"address add {made.ip_of_head}/30 dev {here}")
        ip_command(f"link set {here} up")
        ip_command(f"-n {name} address add {made.ip}/30 dev {there}")
        ip_command(f"-n {name} link set {there} up")
        ip_command(f"-n {name} link set lo up")
        yield made
    finally:
        subprocess.run(["ip", "link", "delete", here], check=False)
        subprocess.run(["ip", "netns", "delete", name], check=False)


@pytest.fixture(scope="module")
def ray_network(namespace) -> Iterator[RayCluster]:
    """Yield a cluster of a head with one core that other machines can reach."""
    with running_head(cpus=1, ip=namespace.ip_of_head) as cluster:
        yield cluster

"""Ray for the time of a search: a private one on this machine, or a running cluster."""

import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from search.joining import join, quieten
from search.resources import Available
from search.shipped import package_folders

# No trial puts data into Ray's object store: decoded images are memory-mapped files.
OBJECT_STORE_BYTES = 128 * 2**20
MAX_PENDING = "TUNE_MAX_PENDING_TRIALS_PG"
DASHBOARD = "dashboard"
ENVIRONMENT = {
    # Our own files are the record; Ray's snapshots and tables would only cost time.
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": "86400",
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    # Why a trial failed or is tried again is said by the search, in a line.
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
    # Ctrl-C is ours: Ray's own handler prints, and stops without telling how a trial ended.
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    # What a job that runs a search gives its workers, and what the search does, is put together.
    "RAY_OVERRIDE_JOB_RUNTIME_ENV": "1",
}
PRIVATE_ENVIRONMENT = {
    # A Ray that no other machine joins: each of its many servers then listens on loopback alone.
    # By default they all listen on every address of the machine but the dashboard.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
}
WORKER_ENVIRONMENT = {
    # Waiting threads that spin take the cores of the other trials.
    "OMP_WAIT_POLICY": "PASSIVE",
    "NO_ALBUMENTATIONS_UPDATE": "1",
    # Trials keep their files themselves; relative paths mean what they mean to the user.
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
}


@dataclass(frozen=True)
class Cluster:
    """A running cluster.

    Args:
        described: What Ray says of each node that may run trials.
        dashboard: Address of Ray's dashboard, or "".
    """

    described: tuple[dict[str, Any], ...]
    dashboard: str

    @property
    def nodes(self) -> tuple[Available, ...]:
        """Return what each of its machines has."""
        return available_on(self.described)


def prepare_environment(*, max_concurrent: int | None = None, is_private: bool = False) -> None:
    """Set what Ray reads when it is imported or runs trials; what the user has set stays.

    Args:
        max_concurrent: Most trials at a time: as many workers may start side by side.
        is_private: Whether Ray is to be started for this machine alone.
    """
    private = PRIVATE_ENVIRONMENT if is_private else {}
    for name, value in (ENVIRONMENT | WORKER_ENVIRONMENT | private).items():
        os.environ.setdefault(name, value)
    if max_concurrent is not None:
        os.environ.setdefault(MAX_PENDING, str(max_concurrent))


@contextmanager
def private_ray(available: Available) -> Iterator[str]:
    """Run a block with a Ray of its own on this machine, and leave nothing of it behind.

    Args:
        available: What this machine has.

    Yields:
        The address of Ray's dashboard, or "".
    """
    prepare_environment(is_private=True)
    import ray

    try:
        yield _start(available)
    finally:
        ray.shutdown()


def _start(available: Available) -> str:
    """Start a private Ray and return its dashboard's address.

    Where the dashboard does not come up, as on a machine that is too busy, there is none: a
    search needs none.
    """
    import ray

    try:
        return _started(available, include_dashboard=True)
    except Exception as error:
        # Ray raises nothing narrower; the message has the paths or lines of its log.
        if DASHBOARD not in str(error):
            raise
        ray.shutdown()
        return _started(available, include_dashboard=False)


def _started(available: Available, *, include_dashboard: bool) -> str:
    import ray

    quieten()
    with _agent_at_any_port():
        context = ray.init(
            address="local",
            num_cpus=available.cpus,
            num_gpus=available.gpus,
            object_store_memory=OBJECT_STORE_BYTES,
            include_dashboard=include_dashboard,
            log_to_driver=False,
            logging_level=logging.CRITICAL,  # of a dashboard that fails it prints pages
        )
    quieten()
    return str(context.dashboard_url or "")


@contextmanager
def _agent_at_any_port() -> Iterator[None]:
    """Let what serves logs to the dashboard take any free port, which ``ray.init`` cannot say.

    By default it is one fixed port: of two searches on a machine, the second one's dashboard
    would show no logs.
    """
    from ray._private import parameter

    parameters = parameter.RayParams
    parameter.RayParams = partial(parameters, dashboard_agent_listen_port=0)
    try:
        yield
    finally:
        parameter.RayParams = parameters


@contextmanager
def joined_cluster(address: str) -> Iterator[Cluster]:
    """Run a block as part of a running cluster, whose workers get our packages as they are here.

    Args:
        address: ``auto`` or ``host:port``.

    Yields:
        What the cluster has.

    Raises:
        ConfigError: If there is no cluster at the address, or it cannot be joined.
    """
    prepare_environment()
    import ray

    runtime_env = {
        "env_vars": WORKER_ENVIRONMENT,
        "py_modules": [str(folder) for folder in package_folders()],
    }
    quieten()
    context = join(
        address,
        lambda: ray.init(
            address=address,
            log_to_driver=False,
            logging_level=logging.ERROR,
            runtime_env=runtime_env,
        ),
    )
    quieten()
    try:
        yield Cluster(nodes_with_cores(), str(context.dashboard_url or ""))
    finally:
        ray.shutdown()


def nodes_with_cores() -> tuple[dict[str, Any], ...]:
    """Return what Ray says of each node that is alive and may run trials."""
    import ray

    alive = (node for node in ray.nodes() if node["Alive"])
    return tuple(node for node in alive if node["Resources"].get("CPU"))


def available_on(described: Iterable[Mapping[str, Any]]) -> tuple[Available, ...]:
    """Return what the nodes have that Ray describes; it leaves out what one has none of."""
    resources = [node["Resources"] for node in described]
    return tuple(Available(int(has.get("CPU", 0)), int(has.get("GPU", 0))) for has in resources)

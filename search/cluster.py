"""Ray for the time of a search: a private one on this machine, or a running cluster."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

from search.resources import LOCAL, Resources
from trainable.errors import ConfigError, expected

# No trial puts data into Ray's object store: decoded images are memory-mapped files.
OBJECT_STORE_BYTES = 128 * 2**20
ENVIRONMENT = {
    # Our own files are the record; Ray's snapshots and tables would only cost time.
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    # As many workers start side by side as the ledger hands out trials.
    "TUNE_MAX_PENDING_TRIALS_PG": "64",
    "TUNE_GLOBAL_CHECKPOINT_S": "86400",
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    # Ctrl-C is ours: Ray's own handler prints, and stops without telling how a trial ended.
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
WORKER_ENVIRONMENT = {
    # Waiting threads that spin take the cores of the other trials.
    "OMP_WAIT_POLICY": "PASSIVE",
    "NO_ALBUMENTATIONS_UPDATE": "1",
}


def prepare_environment() -> None:
    """Set what Ray reads when it is imported; what the user has set stays."""
    for name, value in (ENVIRONMENT | WORKER_ENVIRONMENT).items():
        os.environ.setdefault(name, value)


@contextmanager
def joined(address: str, resources: Resources) -> Iterator[str]:
    """Run a block with Ray, and leave nothing of a private Ray behind.

    Args:
        address: ``local`` for a private Ray, ``auto`` or ``host:port`` for a running cluster.
        resources: What this machine has, for a private Ray.

    Yields:
        The address of Ray's dashboard, or "".

    Raises:
        ConfigError: If there is no cluster at the address.
    """
    prepare_environment()
    import ray

    logging.getLogger("ray").setLevel(logging.ERROR)
    context = _private_ray(resources) if address == LOCAL else _cluster(address)
    logging.getLogger("ray").setLevel(logging.ERROR)
    try:
        yield str(context.dashboard_url or "")
    finally:
        ray.shutdown()


def _private_ray(resources: Resources):  # type: ignore[no-untyped-def]  # noqa: ANN202
    import ray

    available = resources.available
    assert available is not None, "a private Ray runs on this machine"
    return ray.init(
        address="local",
        num_cpus=available.cpus,
        num_gpus=available.gpus,
        object_store_memory=OBJECT_STORE_BYTES,
        include_dashboard=True,
        log_to_driver=False,
        logging_level=logging.ERROR,
    )


def _cluster(address: str):  # type: ignore[no-untyped-def]  # noqa: ANN202
    import ray

    try:
        return ray.init(
            address=address,
            log_to_driver=False,
            logging_level=logging.ERROR,
            runtime_env={"env_vars": WORKER_ENVIRONMENT},
        )
    except ConnectionError as error:
        remedy = "Start one with `ray start --head`, or leave --address out."
        problem = expected("--address", "a running Ray cluster", repr(address), remedy)
        raise ConfigError(problem) from error

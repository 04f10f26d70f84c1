"""What there is to run on, and what each trial gets of it. Starts no Ray."""

import math
import os
from dataclasses import dataclass
from pathlib import Path

from search.options import SearchOptions
from trainable.errors import ConfigError, expected

LOCAL = "local"
_CGROUP_CPU = Path("/sys/fs/cgroup/cpu.max")


@dataclass(frozen=True)
class Available:
    """CPU cores and GPUs of this machine that the process may use."""

    cpus: int
    gpus: int


@dataclass(frozen=True)
class Resources:
    """What each trial gets, and how many run at a time.

    Args:
        cpus_per_trial: CPU cores of a trial.
        gpus_per_trial: GPUs of a trial, or a share of one.
        max_concurrent: Most trials at a time; on a cluster fewer may fit.
        available: What this machine has; None on a cluster, which is known once joined.
    """

    cpus_per_trial: float
    gpus_per_trial: float
    max_concurrent: int
    available: Available | None

    @property
    def threads_per_trial(self) -> int:
        """Return the number of threads of a trial's tensor operations."""
        return max(1, int(self.cpus_per_trial))


def available_here() -> Available:
    """Return what this process may use: cores by affinity and container quota, visible GPUs."""
    import torch

    return Available(cpus=_usable_cpus(_CGROUP_CPU), gpus=torch.cuda.device_count())


def _usable_cpus(cgroup_file: Path) -> int:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(cores or 1, _cpu_quota(cgroup_file)))


def _cpu_quota(cgroup_file: Path) -> int:
    """Return the cores that a container may use, a large number where nothing limits them."""
    try:
        quota, period = cgroup_file.read_text().split()
    except (OSError, ValueError):
        return 1_000_000
    return 1_000_000 if quota == "max" else math.ceil(int(quota) / int(period))


def share_out(options: SearchOptions, available: Available | None) -> Resources:
    """Return what each trial gets.

    On a machine without GPUs a trial gets one core, since one thread a trial is fastest there.
    With GPUs it gets a whole one and an even share of the cores.

    Args:
        options: The options of the search.
        available: What this machine has; None on a cluster, which is known once joined.

    Raises:
        ConfigError: If more is asked for than there is.
    """
    if available is None:
        return _on_cluster(options)
    problems = _too_much(options, available)
    if problems:
        raise ConfigError(problems)
    gpus = options.gpus_per_trial
    gpus = float(available.gpus > 0) if gpus is None else gpus
    concurrent = min(_fitting(options, available, gpus), options.trials)
    if options.max_concurrent is not None:
        concurrent = min(concurrent, options.max_concurrent)
    cpus = options.cpus_per_trial
    if cpus is None:
        cpus = float(available.cpus // concurrent) if gpus else 1.0
    return Resources(cpus, gpus, concurrent, available)


def _fitting(options: SearchOptions, available: Available, gpus_per_trial: float) -> int:
    cpus_per_trial = options.cpus_per_trial or 1.0
    by_cpus = int(available.cpus / cpus_per_trial + 1e-9)
    if not gpus_per_trial:
        return by_cpus
    if gpus_per_trial >= 1:
        return min(by_cpus, int(available.gpus / gpus_per_trial + 1e-9))
    # Shares of different GPUs do not add up to one.
    return min(by_cpus, available.gpus * int(1 / gpus_per_trial + 1e-9))


def _on_cluster(options: SearchOptions) -> Resources:
    if options.gpus_per_trial is None:
        remedy = "What a cluster has is not known before it is joined."
        what = f"a number together with --address {options.address}"
        raise ConfigError(expected("--gpus-per-trial", what, "nothing", remedy))
    cpus = options.cpus_per_trial or 1.0
    concurrent = min(options.max_concurrent or options.trials, options.trials)
    return Resources(cpus, options.gpus_per_trial, concurrent, None)


def _too_much(options: SearchOptions, available: Available) -> list[str]:
    problems = []
    if (options.cpus_per_trial or 0) > available.cpus:
        limit = f"at most the {available.cpus} CPU cores there are"
        problems.append(expected("--cpus-per-trial", limit, f"{options.cpus_per_trial:g}"))
    if (options.gpus_per_trial or 0) > available.gpus:
        limit = f"at most the {available.gpus} GPUs there are"
        remedy = "" if available.gpus else "Leave it out to run on the CPU."
        problems.append(expected("--gpus-per-trial", limit, f"{options.gpus_per_trial:g}", remedy))
    return problems

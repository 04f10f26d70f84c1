"""How many CPU cores this process may use."""

import math
import os
from pathlib import Path

CGROUP_CPU = Path("/sys/fs/cgroup/cpu.max")
NO_LIMIT = 1_000_000


def usable_cpus(cgroup_file: Path = CGROUP_CPU) -> int:
    """Return the number of cores by affinity and container quota, at least 1.

    Args:
        cgroup_file: Where Linux tells a container's quota and period, in microseconds.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(cores or 1, _cpu_quota(cgroup_file)))


def _cpu_quota(cgroup_file: Path) -> int:
    try:
        quota, period = cgroup_file.read_text().split()
    except (OSError, ValueError):
        return NO_LIMIT
    return NO_LIMIT if quota == "max" else math.ceil(int(quota) / int(period))

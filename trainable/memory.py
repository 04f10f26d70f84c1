"""How much memory there is, how much this process holds, and tensors kept within a share of it."""

import os
import resource
import sys
from collections import OrderedDict
from collections.abc import Callable, Hashable
from pathlib import Path

import torch
from torch import Tensor

CGROUP_MEMORY = Path("/sys/fs/cgroup/memory.max")
STATM = Path("/proc/self/statm")


def usable_memory(device: torch.device, cgroup_file: Path = CGROUP_MEMORY) -> int:
    """Return the bytes of memory of a GPU, or those of this machine or its container.

    Args:
        device: The GPU, or the CPU.
        cgroup_file: Where Linux tells a container's limit.
    """
    if device.type == "cuda":
        return torch.cuda.get_device_properties(device).total_memory
    installed = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        return min(installed, int(cgroup_file.read_text()))
    except (OSError, ValueError):  # no container, or one without a limit
        return installed


def held_memory() -> int:
    """Return the bytes of memory that are this process's own, without files mapped into it.

    Elsewhere than on Linux, the most that it ever held, files included.
    """
    try:
        _, resident, shared, *_ = STATM.read_text().split()
    except OSError:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024
    return (int(resident) - int(shared)) * resource.getpagesize()


class Kept:
    """Tensors that all trials of this process share, within a share of their device's memory.

    Those unused for longest are dropped for new ones. What is kept must be a function of its
    key: then a trial is the same with it and without.

    Args:
        share: Share of the memory that everything kept may take.
    """

    def __init__(self, share: float) -> None:
        self.share = share
        self._tensors: OrderedDict[Hashable, Tensor] = OrderedDict()

    def get(
        self,
        key: Hashable,
        make: Callable[[], Tensor],
        *,
        num_bytes: int,
        device: torch.device,
    ) -> Tensor | None:
        """Return what is kept under a key, made where absent, or None where it has no room.

        Args:
            key: Tells it from everything else.
            make: Makes it.
            num_bytes: Its size.
            device: Where it is kept.
        """
        limit = int(self.share * usable_memory(device))
        if num_bytes > limit:
            return None
        if key not in self._tensors:
            while self._tensors and self.num_bytes + num_bytes > limit:
                self._tensors.popitem(last=False)
            self._tensors[key] = make()
        self._tensors.move_to_end(key)
        return self._tensors[key]

    @property
    def num_bytes(self) -> int:
        """Return the bytes of all that is kept."""
        return sum(tensor.nbytes for tensor in self._tensors.values())

    def clear(self) -> None:
        """Drop everything."""
        self._tensors.clear()

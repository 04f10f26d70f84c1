"""The GPU of a process whose trials share it with those of others, by what each needs."""

from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import torch

from trainable.config import TrialConfig
from trainable.data.prepared import PreparedData
from trainable.gpu_memory import GpuMemory, gpus_here
from trainable.measurements import Measurement, Measurements
from trainable.probe import probe
from trainable.trial import Machine
from trainable.workload import workload_of

# What has run out is given this many times as much.
GROWTH = 2


class SharedGpu:
    """What a trial needs of a GPU is found out in its share, before it begins.

    Args:
        gpu: The GPU.
        cache_dir: Folder where measurements are kept.
    """

    def __init__(self, gpu: GpuMemory, cache_dir: Path) -> None:
        self._gpu = gpu
        self._measurements = Measurements(cache_dir)

    @classmethod
    def here(cls, cache_dir: Path) -> "SharedGpu":
        """Return the one that Ray lets this process see."""
        return cls(gpus_here()[0], cache_dir)

    @property
    def device(self) -> torch.device:
        """Return where tensors are put."""
        return self._gpu.device

    def watched(self) -> AbstractContextManager[object]:
        """Return the context in which everything that uses the GPU must run."""
        return self._gpu.watched()

    def measured(
        self, config: TrialConfig, data: PreparedData, *, machine: Machine, share: float
    ) -> Measurement | None:
        """Return what a configuration needs: as kept, else as a short probe in the share shows.

        From then on the process may take its share, and no more.
        """
        workload = workload_of(config, num_classes=data.label_space.num_classes)
        measurement = self._measurements.measured_once(
            workload,
            self._gpu.kind,
            lambda: probe(config, data, self._gpu, machine=machine, share=share),
        )
        self._gpu.begin(share)
        return measurement

    def outgrown(self, config: TrialConfig, data: PreparedData, *, share: float) -> Measurement:
        """Return that a configuration needs twice the share that it has run out of; keep that."""
        workload = workload_of(config, num_classes=data.label_space.num_classes)
        known = self._measurements.read(workload, self._gpu.kind) or Measurement(
            workload, self._gpu.kind, self._gpu.total_bytes, needed_bytes=0, is_estimate=True
        )
        needed = int(min(GROWTH * share, 1.0) * self._gpu.total_bytes)
        grown = replace(known, needed_bytes=max(known.needed_bytes, needed))
        self._measurements.write(grown)
        return grown

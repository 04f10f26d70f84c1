"""What workloads were measured to take, kept on disk: each is measured once a kind of GPU."""

import hashlib
import json
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from filelock import FileLock

from trainable.files import write_json

FOLDER = "gpu_memory"
# Another version of these may take another amount of memory.
PACKAGES = ("torch", "timm")


@dataclass(frozen=True)
class Measurement:
    """What a workload takes of a GPU.

    Args:
        workload: Which one.
        gpu: Kind of the GPU.
        gpu_bytes: Its memory.
        needed_bytes: Memory that a trial needs, head-room included.
        train_images_per_s: Speed of training, None where it could not be measured.
        val_images_per_s: Speed of validation, None where it could not be measured.
        is_estimate: Whether it was not measured as it is, but worked out from a smaller batch.
    """

    workload: str
    gpu: str
    gpu_bytes: int
    needed_bytes: int
    train_images_per_s: float | None = None
    val_images_per_s: float | None = None
    is_estimate: bool = False

    @classmethod
    def of(cls, facts: Any) -> "Measurement | None":  # noqa: ANN401 - whatever a file says
        """Return the measurement that a dictionary describes, None if it describes none."""
        with suppress(KeyError, TypeError, ValueError):
            return cls(
                workload=str(facts["workload"]),
                gpu=str(facts["gpu"]),
                gpu_bytes=int(facts["gpu_bytes"]),
                needed_bytes=int(facts["needed_bytes"]),
                train_images_per_s=_speed(facts["train_images_per_s"]),
                val_images_per_s=_speed(facts["val_images_per_s"]),
                is_estimate=bool(facts["is_estimate"]),
            )
        return None

    def facts(self) -> dict[str, Any]:
        """Return it as ``of`` reads it."""
        return asdict(self)


class Measurements:
    """Measurements on disk, a file each.

    A file that is damaged counts as none; a folder that cannot be written keeps nothing, and
    everything is measured each time.

    Args:
        cache_dir: Folder of all caches.
    """

    def __init__(self, cache_dir: Path) -> None:
        self._folder = cache_dir / FOLDER

    def read(self, workload: str, gpu: str) -> Measurement | None:
        """Return what was measured of a workload on a kind of GPU, with these versions."""
        try:
            return Measurement.of(json.loads(self._file(workload, gpu).read_text()))
        except (OSError, ValueError):
            return None

    def write(self, measurement: Measurement) -> None:
        """Keep a measurement, in place of what was kept before; estimates are not kept."""
        if not measurement.is_estimate:
            with suppress(OSError):
                facts = measurement.facts() | {"versions": _versions()}
                write_json(self._file(measurement.workload, measurement.gpu), facts)

    def measured_once(
        self, workload: str, gpu: str, measure: Callable[[], Measurement | None]
    ) -> Measurement | None:
        """Return what is kept, or else have it measured: by one process, others wait for it.

        Args:
            workload: The workload.
            gpu: Kind of the GPU.
            measure: Measures it; None if that did not work.
        """
        if (known := self.read(workload, gpu)) is not None:
            return known
        with ExitStack() as held:
            with suppress(OSError):
                self._folder.mkdir(parents=True, exist_ok=True)
                held.enter_context(FileLock(self._file(workload, gpu).with_suffix(".lock")))
            return self.read(workload, gpu) or self._measured(measure)

    def _measured(self, measure: Callable[[], Measurement | None]) -> Measurement | None:
        measurement = measure()
        if measurement is not None:
            self.write(measurement)
        return measurement

    def _file(self, workload: str, gpu: str) -> Path:
        key = json.dumps([workload, gpu, _versions()])
        return self._folder / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.json"


def _speed(said: Any) -> float | None:  # noqa: ANN401 - whatever a file says
    return None if said is None else float(said)


def _versions() -> dict[str, str]:
    return {package: version(package) for package in PACKAGES}

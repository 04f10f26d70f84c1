"""How trials share GPUs: each is given the share that it needs, by what has been measured.

A trial of a workload that has been measured on these GPUs, in whatever search, is given its share
at once. Of any other, the first trial begins with the smallest share: a probe of seconds in its
own worker shows what it needs, and where that is more, it is moved before it has trained anything.
No GPU is emptied for a probe, none stands idle during one, and no process can take more than its
share, so a guess that was too low costs nobody else anything. Emptying a GPU to measure a first
epoch in peace would leave the rest of it idle for as long as its last trial takes, for each of the
dozens of workloads of a large space.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from optuna.trial import FrozenTrial

from analysis.study_file import MEASURED
from search.resources import Resources
from trainable.config import TrialConfig, parse_config
from trainable.errors import ConfigError
from trainable.gpu_memory import gpus_here
from trainable.measurements import Measurement, Measurements
from trainable.workload import workload_of

if TYPE_CHECKING:
    from search.plan import SearchPlan

# Ray counts shares of a GPU in such parts of it.
UNITS = 10_000
GIB = 2**30


def packing_of(plan: "SearchPlan", trials: Sequence[FrozenTrial] = ()) -> "Packing | None":
    """Return what shares out the GPUs of a plan; None where all trials get the same.

    Args:
        plan: The plan; if it is for a cluster, that has been joined.
        trials: Trials that the study has.
    """
    if plan.resources.per_gpu is None:
        return None
    is_here = plan.resources.available is not None
    return Packing(
        plan.resources,
        Measurements(plan.data.cache_dir),
        num_classes=plan.data.label_space.num_classes,
        # What the machines of a cluster have is learnt from them.
        gpus={gpu.kind: gpu.total_bytes for gpu in gpus_here()} if is_here else {},
        trials=trials,
    )


class Packing:
    """The shares of GPUs that trials need and have.

    Shares are one, a half, a third and so on: trials of one kind fill a GPU, and workers, which
    are kept for trials of the same share, are seldom started anew.

    Args:
        resources: What there is, and how many trials may share a GPU.
        measurements: What was measured in other searches.
        num_classes: Number of classes of the data.
        gpus: Memory in bytes by kind of GPU, as far as known; more are learnt of.
        trials: Trials of the study, with what was measured of them.
    """

    def __init__(
        self,
        resources: Resources,
        measurements: Measurements,
        *,
        num_classes: int,
        gpus: Mapping[str, int],
        trials: Sequence[FrozenTrial] = (),
    ) -> None:
        self._per_gpu = resources.per_gpu or 1
        self._num_gpus = resources.num_gpus
        self._measurements = measurements
        self._num_classes = num_classes
        self._gpus = dict(gpus)
        self._needed_bytes: dict[str, int] = {}
        self._given: dict[int, float] = {}
        for trial in trials:
            if found := Measurement.of(trial.user_attrs.get(MEASURED)):
                self._learn(found)

    @property
    def has_room(self) -> bool:
        """Return whether a trial of the smallest share could begin.

        At most one trial more is handed out than there is room for, and none while one waits: so
        one that needs much is not overtaken for ever, and none is suggested too early.
        """
        return sum(self._given.values()) + self.share(self._per_gpu) <= self._num_gpus + 1e-6

    def give(self, number: int, config: Mapping[str, Any]) -> float:
        """Return the share that a trial gets, which it has until it is freed.

        Args:
            number: The trial.
            config: Its hyperparameters by flat name.
        """
        share = self.share(self._per_gpu)
        with suppress(ConfigError):  # its worker says what is wrong with it
            workload = workload_of(parse_config(config), num_classes=self._num_classes)
            share = self.share_of(workload) or share
        self._given[number] = share
        return share

    def free(self, number: int) -> None:
        """Take back the share of a trial."""
        self._given.pop(number, None)

    def learn(self, number: int, measurement: Measurement, *, ran_out: bool) -> float | None:
        """Take in what a trial needs; return the share that it has from now on, if another.

        Args:
            number: The trial, which has been given a share.
            measurement: What it needs.
            ran_out: Whether its share did not suffice, whatever was measured.
        """
        self._learn(measurement)
        had = self._given[number]
        needed = self.share_of(measurement.workload) or had
        if ran_out and needed <= had:
            needed = self.share(max(1, round(1 / had) - 1))
        if needed <= had:
            return None
        self._given[number] = needed
        return needed

    def share_of(self, workload: str) -> float | None:
        """Return the share that a workload needs on the smallest GPU, None if that is unknown."""
        for gpu in self._gpus:
            if found := self._measurements.read(workload, gpu):
                self._learn(found)
        if workload not in self._needed_bytes:
            return None
        fitting = int(min(self._gpus.values()) / max(1, self._needed_bytes[workload]) + 1e-6)
        return self.share(max(1, min(fitting, self._per_gpu)))

    @staticmethod
    def share(among: int) -> float:
        """Return the share of each of so many trials, rounded down to what Ray counts in.

        Example:
            >>> Packing.share(8), Packing.share(3)
            (0.125, 0.3333)
        """
        return (UNITS // among) / UNITS

    def describe(self, configs: Sequence[TrialConfig]) -> list[str]:
        """Return what is known of the configurations of a space, a line each workload.

        Args:
            configs: Some configurations.
        """
        workloads = {workload_of(config, num_classes=self._num_classes) for config in configs}
        shares = {workload: self.share_of(workload) for workload in sorted(workloads)}
        known = {workload: share for workload, share in shares.items() if share is not None}
        lines = [
            f"1/{round(1 / share)} of a GPU ({self._needed_bytes[workload] / GIB:.2f} GiB): "
            f"{workload}"
            for workload, share in known.items()
        ]
        if num_unknown := len(shares) - len(known):
            what = "workload is" if num_unknown == 1 else "workloads are"
            whose = "its first trial begins" if num_unknown == 1 else "their first trials begin"
            share = f"1/{self._per_gpu} of a GPU"
            lines.append(f"{num_unknown} {what} measured as {whose}, with {share}.")
        return lines

    def _learn(self, measurement: Measurement) -> None:
        workload = measurement.workload
        self._gpus.setdefault(measurement.gpu, measurement.gpu_bytes)
        most = max(self._needed_bytes.get(workload, 0), measurement.needed_bytes)
        self._needed_bytes[workload] = most

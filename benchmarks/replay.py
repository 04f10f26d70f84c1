"""Replays a search on recorded learning curves: workers train, a method decides, nothing else."""

import heapq
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd

from benchmarks.recorded_space import Configuration, nearest

EpochSeconds = Callable[[Mapping[str, Any]], float]


def one_second(params: Mapping[str, Any]) -> float:
    """Return the same seconds an epoch for whatever was suggested."""
    del params
    return 1.0


@dataclass(frozen=True)
class Suggested:
    """A trial as a method hands it out.

    Args:
        number: Its number, from 0.
        params: What the space suggested for it, by name.
    """

    number: int
    params: Mapping[str, Any]


class Method(Protocol):
    """A way of searching: what to try next, and when to give up."""

    def suggest(self) -> Suggested:
        """Return the next trial."""

    def epoch_done(self, number: int, epoch: int, value: float) -> bool:
        """Take in an epoch's value, which is not the trial's last; return whether to stop."""

    def finished(self, number: int, epoch: int, value: float) -> None:
        """Take in the value of a trial's last epoch."""


class Curves:
    """Learning curves of every configuration of the recorded space.

    Args:
        values: Macro F1 after each epoch, [num_epochs], by configuration.
    """

    def __init__(self, values: Mapping[Configuration, np.ndarray]) -> None:
        self._values = values

    @classmethod
    def read(cls, path: Path) -> "Curves":
        """Read a file of ``benchmarks.record_curves``; an epoch after a divergence counts as 0."""
        table = pd.read_csv(path, keep_default_na=False)
        values = table.filter(like="epoch_").replace("", 0.0).astype(float).to_numpy()
        keys = [_configuration(row) for _, row in table.iterrows()]
        return cls(dict(zip(keys, values, strict=True)))

    @property
    def best(self) -> float:
        """Return the best value of any epoch of any configuration."""
        return max(float(values.max()) for values in self._values.values())

    @property
    def num_epochs(self) -> int:
        """Return the epochs of a whole trial."""
        return len(next(iter(self._values.values())))

    def of(self, params: Mapping[str, Any]) -> np.ndarray:
        """Return the curve of a suggestion, [num_epochs]."""
        return self._values[nearest(params)]

    def __len__(self) -> int:
        """Return the number of configurations."""
        return len(self._values)


def _configuration(row: pd.Series) -> Configuration:
    share = None if row["share"] == "" else float(row["share"])
    return (
        row["pretrained"],
        row["freeze"],
        share,
        row["optimizer"],
        float(row["lr"]),
        row["schedule"],
        row["loss"],
    )


def replay(
    method: Method,
    curves: Curves,
    *,
    num_workers: int,
    budget_epochs: int,
    seed: int,
    epoch_s: EpochSeconds = one_second,
) -> np.ndarray:
    """Run a search of so many epochs in all.

    Workers take a trial each and train it epoch by epoch; how long an epoch takes differs by up
    to a fifth between trials, so that results arrive in a mixed order.

    Args:
        method: What decides.
        curves: What training gives.
        num_workers: Trials at a time.
        budget_epochs: Epochs in all.
        seed: Seed of the epochs' durations.
        epoch_s: The mean duration of an epoch, by what was suggested.

    Returns:
        float [budget_epochs], the best value known after each epoch spent.
    """
    rng = np.random.default_rng(seed)
    queue: list[tuple[float, int, Suggested | None, int, float]] = [
        (0.0, worker, None, 0, 1.0) for worker in range(num_workers)
    ]
    heapq.heapify(queue)
    best: list[float] = []
    while len(best) < budget_epochs:
        now, worker, trial, epoch, duration = heapq.heappop(queue)
        if trial is not None:
            value = float(curves.of(trial.params)[epoch - 1])
            best.append(max(value, best[-1] if best else value))
            if _ends(method, trial, epoch, value, num_epochs=curves.num_epochs):
                trial = None
        if trial is None:
            trial, epoch = method.suggest(), 0
            duration = rng.uniform(0.8, 1.2) * epoch_s(trial.params)
        heapq.heappush(queue, (now + duration, worker, trial, epoch + 1, duration))
    return np.array(best)


def _ends(method: Method, trial: Suggested, epoch: int, value: float, *, num_epochs: int) -> bool:
    """Tell the method of an epoch and return whether the trial is over."""
    if epoch < num_epochs:
        return method.epoch_done(trial.number, epoch, value)
    method.finished(trial.number, epoch, value)
    return True

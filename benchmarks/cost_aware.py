"""Does ``--cost-aware`` need fewer seconds? ``python -m benchmarks.cost_aware``.

Replays searches on ``benchmarks/curves/faces.csv`` as ``benchmarks.search_quality`` does, where an
epoch of a network that is frozen in part takes less time: as measured with test_efficientnet at
64x48 on a CPU, with 30 % of its front frozen 57 % of an epoch of all of it, with 60 % 40 %, and
with all of it a quarter, which is what a network that melts takes until then. The seconds are
those of all workers together, an epoch of all of the network counting as one.
"""

import argparse
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.recorded_space import nearest
from benchmarks.replay import Curves, Method, Suggested, replay
from benchmarks.search_methods import ours
from benchmarks.search_quality import CURVES, NUM_WORKERS, POINTS

BUDGET_EPOCHS = 600
FROZEN = 0.25
FRONT = {0.3: 0.57, 0.6: 0.40}


def main() -> None:
    """Replay, count, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=30)
    options = parser.parse_args()
    curves = Curves.read(CURVES)
    rows = [
        (cost_aware, seed, *seconds_needed(curves, seed, cost_aware=cost_aware))
        for seed in range(options.seeds)
        for cost_aware in (False, True)
    ]
    table = pd.DataFrame(rows, columns=["cost_aware", "seed", *POINTS])
    print(table.to_string(index=False))
    print(table.groupby("cost_aware")[list(POINTS)].agg(["mean", "std"]).round(1))


def epoch_s(params: Mapping[str, Any]) -> float:
    """Return the seconds of an epoch, that of a network that is not frozen being 1."""
    _, freeze, share, *_ = nearest(params)
    if share is None:
        return 1.0
    return FRONT[share] if freeze == "front" else share * FROZEN + 1 - share


class Timed:
    """A method whose epochs are timed.

    Args:
        method: The method.
    """

    def __init__(self, method: Method) -> None:
        self._method = method
        self._epoch_s: dict[int, float] = {}
        self.spent_s: list[float] = []

    def suggest(self) -> Suggested:
        """Return the next trial."""
        suggested = self._method.suggest()
        self._epoch_s[suggested.number] = epoch_s(suggested.params)
        return suggested

    def epoch_done(self, number: int, epoch: int, value: float) -> bool:
        """Take in an epoch; return whether to stop."""
        self.spent_s.append(self._epoch_s[number])
        return self._method.epoch_done(number, epoch, value)

    def finished(self, number: int, epoch: int, value: float) -> None:
        """Take in the last epoch of a trial."""
        self.spent_s.append(self._epoch_s[number])
        self._method.finished(number, epoch, value)


def seconds_needed(curves: Curves, seed: int, *, cost_aware: bool) -> list[float]:
    """Return the seconds until a search is within each of ``POINTS``; all of them if it never is.

    Args:
        curves: The learning curves.
        seed: Seed of the draws.
        cost_aware: Whether the search is.
    """
    method = Timed(
        ours(
            curves.num_epochs,
            seed,
            sampler="tpe",
            scheduler="asha",
            cost_aware=cost_aware,
            epoch_s=epoch_s,
        )
    )
    best = replay(
        method,
        curves,
        num_workers=NUM_WORKERS,
        budget_epochs=BUDGET_EPOCHS,
        seed=seed,
        epoch_s=epoch_s,
    )
    spent_s = np.cumsum(method.spent_s)
    needed = [int(np.sum(best < curves.best - points / 100)) for points in POINTS]
    return [float(spent_s[min(epochs, BUDGET_EPOCHS - 1)]) for epochs in needed]


if __name__ == "__main__":
    main()

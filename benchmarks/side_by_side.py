"""Times two ways of doing the same, in turn, and says how many times as fast the first one is."""

import time
from collections.abc import Callable

import numpy as np
import pandas as pd

COLUMNS = ("what", "against", "ratio", "low", "high", "goal")
SPREAD = (0.1, 0.9)


def cpu_seconds(work: Callable[[], object]) -> float:
    """Return the CPU time of this process that some work takes.

    Unlike the clock on the wall it hardly sees what else the machine does, and on one thread
    without a GPU both are the same on a free one.
    """
    start = time.process_time()
    work()
    return time.process_time() - start


def times_as_fast(
    ours: Callable[[], object],
    theirs: Callable[[], object],
    *,
    repeats: int,
    seconds: Callable[[Callable[[], object]], float] = cpu_seconds,
) -> dict[str, float]:
    """Time both in turn after a first time that does not count.

    Args:
        ours: What is to be fast.
        theirs: What it is compared with.
        repeats: Times that each is done.
        seconds: Times some work.

    Returns:
        ``ratio``, the median over the repeats of their seconds by ours, with ``low`` and
        ``high``, the tenths below and above which a tenth of the repeats lies.
    """
    ours(), theirs()
    ratios = [1 / (seconds(ours) / seconds(theirs)) for _ in range(repeats)]
    low, high = np.quantile(ratios, SPREAD)
    return {"ratio": float(np.median(ratios)), "low": float(low), "high": float(high)}


def show(table: pd.DataFrame) -> None:
    """Print a table of ``COLUMNS``, and which rows reach their goal."""
    reached = table.assign(reached=table["ratio"] >= table["goal"])
    print(reached.round(3).to_string(index=False))

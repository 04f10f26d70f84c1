"""The row of a benchmark: two sides measured in turns, and the ratio between them."""

import time
from collections.abc import Callable, Sequence
from statistics import median

import pandas as pd

COLUMNS = ("what", "against", "ratio", "low", "high", "goal", "met")


def in_turns(
    ours: Callable[[], float], theirs: Callable[[], float], *, repeats: int
) -> list[tuple[float, float]]:
    """Measure two sides one after the other, again and again, each time in the other order.

    What else a machine does then slows both.

    Args:
        ours: Measures one side, and returns what it took.
        theirs: Measures the other.
        repeats: Number of times.

    Returns:
        Pairs (theirs, ours).
    """
    pairs = []
    for number in range(repeats):
        if number % 2:
            took = ours()
            pairs.append((theirs(), took))
        else:
            took = theirs()
            pairs.append((took, ours()))
    return pairs


def cpu_seconds(work: Callable[[], object]) -> float:
    """Return the CPU time of this process that some work takes.

    Unlike the clock on the wall it hardly sees what else the machine does, and on one thread
    without a GPU both are the same on a free one.
    """
    start = time.process_time()
    work()
    return time.process_time() - start


def timed_in_turns(
    ours: Callable[[], object], theirs: Callable[[], object], *, repeats: int
) -> list[tuple[float, float]]:
    """Return pairs of CPU seconds (theirs, ours), after a first time that does not count."""
    ours(), theirs()
    return in_turns(lambda: cpu_seconds(ours), lambda: cpu_seconds(theirs), repeats=repeats)


def row(
    what: str,
    against: str,
    pairs: Sequence[tuple[float, float]],
    *,
    goal: str,
    at_least: float,
    also_met: bool = True,
) -> pd.DataFrame:
    """Return the row of a benchmark: the median of its ratios, the least and the largest.

    Args:
        what: What was measured.
        against: What it was compared with.
        pairs: What each side took, (theirs, ours), a pair a repeat.
        goal: The goal in words.
        at_least: The ratio that meets it.
        also_met: Whether what else the goal says is met.

    Returns:
        A table with the columns ``what``, ``against``, ``ratio``, ``low``, ``high``, ``goal``
        and ``met``, and one row.

    Example:
        >>> row("a", "b", [(6, 2), (8, 2), (9, 3)], goal="2 x", at_least=2).ratio.tolist()
        [3.0]
    """
    ratios = [theirs / ours for theirs, ours in pairs]
    middle = median(ratios)
    met = middle >= at_least and also_met
    cells = (what, against, middle, min(ratios), max(ratios), goal, met)
    return pd.DataFrame([cells], columns=list(COLUMNS))

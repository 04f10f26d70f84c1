"""How long is a worker idle between trials? ``python -m benchmarks.trial_switch``.

Trials of one epoch, one at a time: from a trial's end to the next one's first batch, with the
product's worker, which is kept, and with Ray's function trainable, for which Ray starts a process.
Both import the same, train the same random configurations of the quick space, and are timed in the
worker; each repeat has a Ray of its own and is the median over its trials.
"""

import argparse
import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

# Read when torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pandas as pd

from benchmarks.side_by_side import in_turns, row

if TYPE_CHECKING:
    from search.plan import SearchPlan

SPACE = Path(__file__).parents[1] / "spaces" / "quick.py"
PEOPLE = 60
GOAL, MOST_S = 20, 0.3


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    print(_table(options.trials, repeats=options.repeats).to_string(index=False))


def table(*, quick: bool = False) -> pd.DataFrame:
    """Return the row of the time between trials."""
    return _table(3, repeats=1) if quick else _table(8, repeats=3)


def _table(num_trials: int, *, repeats: int) -> pd.DataFrame:
    pairs = in_turns(
        lambda: in_own_process(ours, num_trials),
        lambda: in_own_process(theirs, num_trials),
        repeats=repeats,
    )
    print(f"theirs and ours, seconds: {pairs}")
    own_s = median(own for _, own in pairs)
    return row(
        f"from one trial's end to the next one's first batch, warm worker: {own_s:.2f} s",
        "Ray function trainable with the same imports",
        pairs,
        goal=f"{GOAL} x less, under {MOST_S} s",
        at_least=GOAL,
        also_met=own_s < MOST_S,
    )


def in_own_process(side: Callable[[Path, int], str], num_trials: int) -> float:
    """Run a side in a fresh process; return the median seconds between two trials."""
    context = multiprocessing.get_context("spawn")
    with TemporaryDirectory() as folder, ProcessPoolExecutor(1, mp_context=context) as pool:
        stamps = pool.submit(side, Path(folder), num_trials).result()
        return median(gaps_s(stamps))


def gaps_s(stamps: str) -> list[float]:
    r"""Return the seconds between each trial's end and the next one's first batch.

    Args:
        stamps: A line an event, time and what it is, in any order.

    Example:
        >>> gaps_s("1.0,first batch\n2.0,end\n2.5,first batch\n4.0,end\n")
        [0.5]
    """
    lines = (line.split(",") for line in stamps.splitlines())
    events = sorted((float(moment), what) for moment, what in lines)
    return [
        later - earlier
        for (earlier, before), (later, after) in pairwise(events)
        if (before, after) == ("end", "first batch")
    ]


def ours(folder: Path, num_trials: int) -> str:
    """Run trials through the product's engine; return the times."""
    from benchmarks.engine import run_engine
    from benchmarks.timed_trial import STAMPS, TimedTrial
    from search.open_study import open_study

    plan = _plan(folder, num_trials)
    run_engine(
        open_study(plan, plan.run_folder),
        TimedTrial,
        run_folder=plan.run_folder,
        num_trials=num_trials,
        concurrent=1,
        metric=plan.options.metric,
    )
    return (plan.run_folder / STAMPS).read_text()


def theirs(folder: Path, num_trials: int) -> str:
    """Run the same trials as Ray's tutorials do; return the times."""
    from benchmarks.tutorial import search
    from search.open_study import open_study

    plan = _plan(folder, num_trials)
    study = open_study(plan, plan.run_folder)
    trials = [{"config": study.ask().config, "epochs": 1} for _ in range(num_trials)]
    stamps = folder / "stamps.csv"
    search(trials, plan.run_folder, concurrent=1, stamps=stamps)
    return stamps.read_text()


def _plan(folder: Path, num_trials: int) -> "SearchPlan":
    """Plan a search of random configurations, make its run folder and decode its images."""
    from search.arguments import parse_arguments
    from search.plan import make_plan
    from search.run_record import create_run_folder

    arguments = (
        f"--data faces:people={PEOPLE} --trials {num_trials} --max-epochs 1 --sampler random "
        "--name run"
    )
    argv = [*arguments.split(), "--space", str(SPACE), "--runs-dir", str(folder)]
    plan = make_plan(parse_arguments(argv))
    create_run_folder(plan, argv)
    for size in plan.check.sizes:
        plan.data.images(size)
    return plan


if __name__ == "__main__":
    main()

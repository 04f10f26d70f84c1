"""Does a second machine help? ``python -m benchmarks.nodes``.

The same random configurations, none stopped early, on a Ray cluster of one and of two raylets with
one core each, through ``search.run --address``. Timed is from the begin of the first epoch to the
end of the last one: starting processes is left out on both sides.
"""

import argparse
import multiprocessing
import shlex
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from benchmarks.side_by_side import in_turns, row

SPACE = Path(__file__).parents[1] / "spaces" / "quick.py"
STORE_BYTES = 78 * 2**20  # the least that Ray allows is 75 MiB
GOAL = 1.8


@dataclass(frozen=True)
class Work:
    """What is searched.

    Args:
        people: Number of drawn people.
        trials: Trials of the search.
        epochs: Epochs of each.
    """

    people: int
    trials: int
    epochs: int


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=300)
    parser.add_argument("--trials", type=int, default=16)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=1)
    options = parser.parse_args()
    work = Work(options.people, options.trials, options.epochs)
    print(_table(work, repeats=options.repeats).to_string(index=False))


def table(*, quick: bool = False) -> pd.DataFrame:
    """Return the row of two nodes."""
    return _table(Work(40, 4, 1) if quick else Work(300, 16, 2), repeats=1)


def _table(work: Work, *, repeats: int) -> pd.DataFrame:
    pairs = in_turns(lambda: seconds_on(2, work), lambda: seconds_on(1, work), repeats=repeats)
    print(f"one and two nodes, seconds: {pairs}")
    return row(
        f"quick search of {work.trials} trials on 2 nodes of one core",
        "1 node of one core",
        pairs,
        goal=f"{GOAL} x with twice the cores",
        at_least=GOAL,
    )


def seconds_on(num_nodes: int, work: Work) -> float:
    """Return the seconds from the begin of the first epoch to the end of the last one."""
    # A process of its own: what Ray has started in one stays in it.
    context = multiprocessing.get_context("spawn")
    with TemporaryDirectory() as folder, ProcessPoolExecutor(1, mp_context=context) as pool:
        run = Path(folder, "run")
        pool.submit(_search_on_cluster, num_nodes, run, work).result()
        return span_s(list(run.glob("trials/*/metrics.csv")))


def _search_on_cluster(num_nodes: int, run: Path, work: Work) -> None:
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 0, "object_store_memory": STORE_BYTES, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        for _ in range(num_nodes):
            cluster.add_node(num_cpus=1, object_store_memory=STORE_BYTES)
        cluster.wait_for_nodes()
        subprocess.run(  # noqa: S603  our own command
            search_command(cluster.address, run, work), check=True, stdout=subprocess.DEVNULL
        )
    finally:
        cluster.shutdown()


def search_command(address: str, run: Path, work: Work) -> Sequence[str]:
    """Return the command of a search that tries the same whatever the order of results."""
    options = (
        f"--space {shlex.quote(str(SPACE))} --data faces:people={work.people} "
        f"--trials {work.trials} --max-epochs {work.epochs} --sampler random --scheduler none "
        f"--address {address} --gpus-per-trial 0 "
        f"--runs-dir {shlex.quote(str(run.parent))} --name {run.name}"
    )
    return [sys.executable, "-m", "search.run", *shlex.split(options)]


def span_s(curves: Sequence[Path]) -> float:
    """Return the seconds from the begin of the first epoch to the end of the last one.

    Args:
        curves: The ``metrics.csv`` of each trial, written at the end of each of its epochs.
    """
    ends = [file.stat().st_mtime for file in curves]
    begins = [
        end - pd.read_csv(file)["seconds"].sum() for file, end in zip(curves, ends, strict=True)
    ]
    return float(max(ends) - min(begins))


if __name__ == "__main__":
    main()

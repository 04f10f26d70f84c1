"""How many epochs until a search is near the best? ``python -m benchmarks.search_quality``.

Replays searches on the learning curves of ``benchmarks/curves/faces.csv`` (288 configurations of
test_efficientnet on 400 drawn people, each trained once for 9 epochs by
``benchmarks.record_curves``), with 4 workers, and counts the epochs that all trials together took
until one of them was within 1 and 3 points of the best macro F1 known. A search that has not got
there when the budget ends counts with the whole budget.
"""

import argparse
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.replay import Curves, Method, replay

CURVES = Path(__file__).parent / "curves" / "faces.csv"
NUM_WORKERS = 4
BUDGET_EPOCHS = 600
POINTS = (1, 3)
# With what a search does by default: grace period 2, reduction factor 3.
REFERENCE = "ours: TPE, ASHA"
# A Gaussian process takes a third of a second to suggest; only run if asked for by --methods.
SLOW = "ours: GP, ASHA"
VARIANTS = ((1, 3), (1, 4), (2, 2), (2, 4), (3, 3))
MakeMethod = Callable[[int, int], Method]


def main() -> None:
    """Replay, count, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--methods", default="", help="only those whose name has this in it")
    parser.add_argument("--curves", type=Path, default=CURVES)
    options = parser.parse_args()
    names = [name for name in methods() if options.methods in name]
    if not options.methods:
        names.remove(SLOW)
    count = partial(epochs_needed, curves_file=options.curves)
    jobs = [(name, seed) for name in names for seed in range(options.seeds)]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(options.processes, mp_context=context) as pool:
        needed = list(pool.map(count, *zip(*jobs, strict=True), chunksize=4))
    table = pd.DataFrame(
        [(*job, *epochs) for job, epochs in zip(jobs, needed, strict=True)],
        columns=["method", "seed", *POINTS],
    )
    print(summary(table).to_string(index=False))


def methods() -> dict[str, MakeMethod]:
    """Return what makes each method, from the epochs of a whole trial and a seed."""
    # Optuna and Ray take seconds to import, and only the processes that replay need them.
    from benchmarks.search_methods import optuna_study, ours, ray_tune

    return {
        REFERENCE: partial(ours, sampler="tpe", scheduler="asha"),
        **{
            f"ours: TPE, ASHA, grace {grace}, factor {factor}": partial(
                ours, sampler="tpe", scheduler="asha", grace_period=grace, reduction_factor=factor
            )
            for grace, factor in VARIANTS
        },
        "ours: TPE, hyperband": partial(ours, sampler="tpe", scheduler="hyperband"),
        "ours: TPE, median": partial(ours, sampler="tpe", scheduler="median"),
        "ours: TPE, none": partial(ours, sampler="tpe", scheduler="none"),
        SLOW: partial(ours, sampler="gp", scheduler="asha"),
        "ours: CMA-ES, ASHA": partial(ours, sampler="cmaes", scheduler="asha"),
        "random, ASHA": partial(ours, sampler="random", scheduler="asha"),
        "random": partial(ours, sampler="random", scheduler="none"),
        "Ray: OptunaSearch, ASHA": ray_tune,
        "Optuna: TPE, median": partial(optuna_study, pruner="median"),
        "Optuna: TPE, successive halving": partial(optuna_study, pruner="halving"),
        "Optuna: TPE, hyperband": partial(optuna_study, pruner="hyperband"),
    }


def epochs_needed(
    name: str, seed: int, *, curves_file: Path, budget_epochs: int = BUDGET_EPOCHS
) -> list[int]:
    """Return the epochs that a search needs to get within each of ``POINTS`` of the best.

    Args:
        name: The method.
        seed: Seed of its draws and of the epochs' durations.
        curves_file: The learning curves.
        budget_epochs: Where the search ends; one more is returned if it has not got there.
    """
    curves = Curves.read(curves_file)
    # Ray's brackets are drawn from numpy's own generator.
    np.random.seed(seed)  # noqa: NPY002
    best = replay(
        methods()[name](curves.num_epochs, seed),
        curves,
        num_workers=NUM_WORKERS,
        budget_epochs=budget_epochs,
        seed=seed,
    )
    return [int(np.sum(best < curves.best - points / 100)) + 1 for points in POINTS]


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Return mean epochs by method with an interval.

    Args:
        table: A row a search: method, seed, and the epochs it needed for each of ``POINTS``; more
            than the budget if it did not get there.

    Returns:
        For each of ``POINTS`` the mean number of epochs with a 90 % bootstrap interval over seeds,
        the share of searches that got there, and the ratio to the product's defaults with its
        interval, seeds paired.
    """
    rows = []
    reference = table[table["method"] == REFERENCE].set_index("seed")
    for name, searches in table.groupby("method", sort=False):
        row: dict[str, object] = {"method": name}
        for points in POINTS:
            epochs = searches.set_index("seed")[points]
            row[f"epochs to {points} pt"] = _with_interval(epochs.clip(upper=BUDGET_EPOCHS))
            row[f"got to {points} pt"] = f"{(epochs <= BUDGET_EPOCHS).mean():.0%}"
            if len(reference):
                paired = np.stack([epochs, reference[points].loc[epochs.index]])
                row[f"ratio {points} pt"] = _ratio(paired.clip(max=BUDGET_EPOCHS))
        rows.append(row)
    return pd.DataFrame(rows)


def _resampled(num: int) -> np.ndarray:
    return np.random.default_rng(0).integers(num, size=(2_000, num))


def _with_interval(values: pd.Series) -> str:
    means = values.to_numpy()[_resampled(len(values))].mean(axis=1)
    low, high = np.quantile(means, (0.05, 0.95))
    return f"{values.mean():.0f} ({low:.0f} to {high:.0f})"


def _ratio(paired: np.ndarray) -> str:
    """Return the ratio of means with its interval; paired: [2, num_seeds]."""
    drawn = paired[:, _resampled(paired.shape[1])].mean(axis=2)
    low, high = np.quantile(drawn[0] / drawn[1], (0.05, 0.95))
    return f"{paired[0].mean() / paired[1].mean():.2f} ({low:.2f} to {high:.2f})"


if __name__ == "__main__":
    main()

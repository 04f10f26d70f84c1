"""How well do early epochs rank configurations? ``python -m benchmarks.early_ranks``.

Trains random configurations of the quick space on ``faces`` to their end, without early stopping,
and prints how far their final macro F1 spreads, and the rank correlation (Spearman) of the best
value up to each epoch with that up to the last one. Early stopping makes sense where it is high.
"""

import argparse
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

# Threads that wait for each other take the other trials' cores; read when torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import optuna
import pandas as pd

from search.space_file import load_space
from trainable.cache_place import default_cache_dir
from trainable.config import parse_config
from trainable.data.prepared import prepare_data
from trainable.trial import Trial

SPACE = Path(__file__).parents[1] / "spaces" / "quick.py"


def main() -> None:
    """Train, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--configurations", type=int, default=16)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    prepare_data("faces", cache_dir=default_cache_dir(), seed=0).images((64, 48))
    train = partial(learning_curve, num_epochs=options.epochs)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(options.processes, mp_context=context) as pool:
        curves = np.array(list(pool.map(train, range(options.configurations))))
    print(spread_table(curves).to_string(index=False))
    print(rank_table(curves).to_string(index=False))


def learning_curve(number: int, *, num_epochs: int) -> list[float]:
    """Return the macro F1 by epoch of a random configuration; 0 from where it diverged on."""
    import torch

    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1_000 + number))
    config = load_space(SPACE).suggest_config(
        study.ask(), pins={}, max_epochs=num_epochs, seed=0, number=number
    )
    data = prepare_data("faces", cache_dir=default_cache_dir(), seed=0)
    with TemporaryDirectory() as folder:
        trial = Trial(parse_config(config), data, Path(folder))
        values = [trial.run_epoch()["val/f1"] for _ in range(num_epochs)]
        trial.close()
    print(f"{number:4d}  {values[-1]:.3f}", flush=True)
    return values


def spread_table(curves: np.ndarray) -> pd.DataFrame:
    """Return quantiles of the best macro F1 of each configuration.

    Args:
        curves: float [num_configurations, num_epochs].
    """
    shares = (0, 0.25, 0.5, 0.75, 1)
    values = np.quantile(curves.max(axis=1), shares).round(3)
    return pd.DataFrame({"quantile": shares, "best macro F1": values})


def rank_table(curves: np.ndarray) -> pd.DataFrame:
    """Return the rank correlation of each epoch's running best with the last one's.

    Args:
        curves: float [num_configurations, num_epochs].
    """
    best = pd.DataFrame(np.maximum.accumulate(curves, axis=1))
    last = best.columns[-1]
    correlations = [best[epoch].corr(best[last], method="spearman") for epoch in best]
    epochs = range(1, len(correlations) + 1)
    return pd.DataFrame({"epoch": epochs, "rank correlation": np.round(correlations, 2)})


if __name__ == "__main__":
    main()

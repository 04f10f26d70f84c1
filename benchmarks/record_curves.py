"""Trains every configuration of the recorded space: ``python -m benchmarks.record_curves``.

Writes ``benchmarks/curves/faces.csv``: a row a configuration, its macro F1 on validation after
each epoch. What is there already is not trained again, so that it can be interrupted. About one
hour and a half on two CPU cores. A configuration whose loss is no number has no values from there.
"""

import argparse
import csv
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from tempfile import TemporaryDirectory

# Threads that wait for each other take the other trials' cores; read when torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np

from benchmarks.recorded_space import COLUMNS, Configuration, configurations, trial_config
from trainable.cache_place import default_cache_dir
from trainable.config import parse_config
from trainable.data.prepared import prepare_data
from trainable.errors import TrialError
from trainable.trial import Trial

CURVES = Path(__file__).parent / "curves" / "faces.csv"
DATA = "faces:people=400"
NUM_EPOCHS = 9


def main() -> None:
    """Train what is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, default=CURVES)
    options = parser.parse_args()
    prepare_data(DATA, cache_dir=default_cache_dir(), seed=0).images((64, 48))
    recorded = _recorded(options.out)
    missing = [c for c in configurations() if _key(c) not in recorded]
    # In a random order, so that what has been recorded half-way is a sample of the whole.
    shuffled = [missing[i] for i in np.random.default_rng(0).permutation(len(missing))]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(options.processes, mp_context=context) as pool:
        training = {pool.submit(learning_curve, c): c for c in shuffled}
        for number, done in enumerate(as_completed(training), start=len(recorded) + 1):
            _append(options.out, training[done], done.result())
            print(
                f"{number:4d}  {training[done]}  {max(done.result(), default=0):.3f}", flush=True
            )


def learning_curve(configuration: Configuration) -> list[float]:
    """Return the macro F1 by epoch of a configuration, shorter if it diverged."""
    import torch

    torch.set_num_threads(1)
    data = prepare_data(DATA, cache_dir=default_cache_dir(), seed=0)
    values: list[float] = []
    with TemporaryDirectory() as folder:
        config = parse_config(trial_config(configuration, num_epochs=NUM_EPOCHS))
        trial = Trial(config, data, Path(folder))
        try:
            while not trial.finished:
                values.append(trial.run_epoch()["val/f1"])
        except TrialError as error:
            print(f"{configuration}: {error}", flush=True)
        finally:
            trial.close()
    return values


def _key(configuration: Configuration) -> tuple[str, ...]:
    return tuple("" if value is None else str(value) for value in configuration)


def _recorded(path: Path) -> set[tuple[str, ...]]:
    if not path.exists():
        return set()
    with path.open(newline="") as file:
        return {tuple(row[column] for column in COLUMNS) for row in csv.DictReader(file)}


def _append(path: Path, configuration: Configuration, values: list[float]) -> None:
    path.parent.mkdir(exist_ok=True)
    is_new = not path.exists()
    padded = [f"{value:.4f}" for value in values] + [""] * (NUM_EPOCHS - len(values))
    with path.open("a", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if is_new:
            writer.writerow([*COLUMNS, *(f"epoch_{i + 1}" for i in range(NUM_EPOCHS))])
        writer.writerow([*_key(configuration), *padded])


if __name__ == "__main__":
    main()

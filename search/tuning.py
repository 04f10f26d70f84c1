"""The call of Ray Tune."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ray import tune

from search.books import Books
from search.interrupts import interruptible
from search.packing import Packing
from search.trial_resources import resources_of
from search.tune_adapters import BooksScheduler, BooksSearcher, SearchStopper
from search.watch import Watch
from trainable.ray_trainable import TrainTrial

NO_LIMIT = -1
# They print of failed trials and of snapshots that find no room, in their own words.
LOUD_LOGGERS = ("ray.tune.tune", "ray.tune.execution.experiment_state")


def tune_trials(
    books: Books,
    *,
    storage: Path,
    constants: Mapping[str, Any],
    max_failures: int,
    trial_timeout_s: float | None,
    budget_s: float | None,
    packing: Packing | None = None,
    trainable: type[tune.Trainable] = TrainTrial,
) -> bool:
    """Run the trials of the books on the Ray that has been joined, whose workers are reused.

    Args:
        books: Hand out trials and take their results.
        storage: Folder for what Ray insists on writing.
        constants: What every trial's configuration has besides number and hyperparameters.
        max_failures: Times that a trial is tried again after its process died or hung.
        trial_timeout_s: Seconds of silence after which a trial hangs, None to judge by its epochs.
        budget_s: Seconds after which to stop, None for no limit.
        packing: What gives each trial its share of a GPU, None where all get the same.
        trainable: What runs a trial; benchmarks put others in its place.

    Returns:
        Whether Ctrl-C or SIGTERM ended it.

    Raises:
        SearchError: If the search cannot go on.
        UnwritableError, StorageInternalError: If run folder or study can no longer be written.
    """
    _quieten()
    stopper = SearchStopper(budget_s)
    searcher = BooksSearcher(books, stopper, constants, packing)
    scheduler = BooksScheduler(books, stopper, Watch(trial_timeout_s), packing)
    tuner = tune.Tuner(
        _with_resources(trainable),
        tune_config=tune.TuneConfig(
            search_alg=searcher, scheduler=scheduler, num_samples=NO_LIMIT, reuse_actors=True
        ),
        run_config=tune.RunConfig(
            name="search",
            storage_path=str(storage.resolve()),
            failure_config=tune.FailureConfig(max_failures=max_failures),
            stop=stopper,
            verbose=0,
        ),
    )
    with interruptible(stopper.interrupt), stopper.raised():
        tuner.fit()
    return stopper.was_interrupted


def _with_resources(trainable: type[tune.Trainable]) -> type[tune.Trainable]:
    """Return a trainable that asks for its trial's resources, under its own name."""
    asking: type[tune.Trainable] = tune.with_resources(trainable, resources_of)
    asking.__qualname__ = trainable.__qualname__  # what Ray's dashboard shows
    return asking


def _quieten() -> None:
    for name in LOUD_LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL)

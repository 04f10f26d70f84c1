"""The call of Ray Tune."""

import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from optuna.exceptions import StorageInternalError
from ray import tune

from search.ledger import Ledger
from search.tune_adapters import LedgerScheduler, LedgerSearcher, SearchStopper
from trainable.errors import SearchError
from trainable.ray_trainable import TrainTrial

NO_LIMIT = -1


def tune_trials(
    ledger: Ledger,
    *,
    storage: Path,
    constants: Mapping[str, Any],
    max_failures: int,
    budget_s: float | None,
) -> bool:
    """Run the ledger's trials on the Ray that has been joined.

    Workers are kept and reused: what they import and read is paid for once. Ray's own record of
    the experiment is not used, so its folder can be thrown away.

    Args:
        ledger: Hands out trials and takes their results.
        storage: Folder for what Ray insists on writing.
        constants: What every trial's configuration has besides number and hyperparameters.
        max_failures: Times that a trial is tried again after its process died.
        budget_s: Seconds after which to stop, None for no limit.

    Returns:
        Whether Ctrl-C ended it.

    Raises:
        SearchError: If the search cannot go on.
    """
    stopper = SearchStopper(budget_s)
    resources = {"cpu": constants["cpus"], "gpu": constants["gpus"]}
    tuner = tune.Tuner(
        tune.with_resources(TrainTrial, resources),
        tune_config=tune.TuneConfig(
            search_alg=LedgerSearcher(ledger, stopper, constants),
            scheduler=LedgerScheduler(ledger, stopper),
            num_samples=NO_LIMIT,
            reuse_actors=True,
        ),
        run_config=tune.RunConfig(
            name="search",
            storage_path=str(storage.resolve()),
            failure_config=tune.FailureConfig(max_failures=max_failures),
            stop=stopper,
            verbose=0,
        ),
    )
    with _interruptible(stopper):
        tuner.fit()
    if stopper.error is not None:
        raise _worded(stopper.error)
    return stopper.was_interrupted


def _worded(error: Exception) -> Exception:
    """Return the error that ended a search, a full disk and its like as one line."""
    if not isinstance(error, OSError | StorageInternalError):
        return error
    ended = SearchError(f"run folder: expected to be written to, got {error}.")
    ended.__cause__ = error
    return ended


@contextmanager
def _interruptible(stopper: SearchStopper) -> Iterator[None]:
    """Let the first Ctrl-C end the search in good order, and the second one at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    original = signal.getsignal(signal.SIGINT)

    def interrupt(signal_number: int, frame: FrameType | None) -> None:
        del frame
        stopper.interrupt()
        signal.signal(signal_number, original)

    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, original)

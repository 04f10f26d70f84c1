"""Makes a scheduler from its name and plain values."""

from analysis.rungs import rung_epochs
from search.options import SchedulerName, SearchOptions
from search.schedulers.asha import Asha
from search.schedulers.base import Scheduler
from search.schedulers.hyperband import Hyperband
from search.schedulers.median import Median
from search.schedulers.no_stopping import NoStopping


def make_scheduler(
    name: SchedulerName, *, max_epochs: int, grace_period: int, reduction_factor: int, seed: int
) -> Scheduler:
    """Return a scheduler by name.

    Args:
        name: Which one.
        max_epochs: Longest training of a trial.
        grace_period: Epochs before any trial may be stopped.
        reduction_factor: One in this many goes on at a rung; ``median`` has none.
        seed: Seed of what is drawn, such as brackets.
    """
    if name == "none":
        return NoStopping()
    if name == "median":
        return Median(grace_period=grace_period)
    rungs = rung_epochs(
        max_epochs=max_epochs, grace_period=grace_period, reduction_factor=reduction_factor
    )
    if name == "hyperband":
        return Hyperband(rungs, reduction_factor=reduction_factor, seed=seed)
    return Asha(rungs, reduction_factor=reduction_factor)


def scheduler_of(options: SearchOptions) -> Scheduler:
    """Return the scheduler of a search."""
    return make_scheduler(
        options.scheduler,
        max_epochs=options.max_epochs,
        grace_period=options.grace_period,
        reduction_factor=options.reduction_factor,
        seed=options.seed,
    )

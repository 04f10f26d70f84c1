"""Runs a search: Ray Tune does the work, the ledger keeps the books."""

import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from search.capacity import Capacity
from search.cluster import prepare_environment, private_ray
from search.ledger import WORKED_S, Audience, Ledger
from search.packing import packing_of
from search.plan import SearchPlan
from search.schedulers.make import scheduler_of
from search.study import SearchStudy

if TYPE_CHECKING:
    from trainable.depot import Depot

ENGINE_FOLDER = ".ray"


@dataclass(frozen=True)
class SearchOutcome:
    """How a search ended.

    Args:
        was_interrupted: Whether Ctrl-C ended it.
        budget_used_up: Whether the time budget ended it.
        worked_s: Seconds that it has run for, those before an interruption included.
    """

    was_interrupted: bool
    budget_used_up: bool
    worked_s: float


def run_search(plan: SearchPlan, study: SearchStudy, audience: Audience) -> SearchOutcome:
    """Run the trials of a search that are left to run, until none is or it is interrupted.

    Args:
        plan: What to search and with what; if that is a cluster, it has been joined.
        study: The study of the run folder.
        audience: Is told of every event.

    Raises:
        SearchError: If the search cannot go on.
    """
    run_folder = plan.run_folder
    ledger = _new_ledger(plan, run_folder, study, audience)
    budget_s = plan.options.time_budget_s
    left_s = None if budget_s is None else budget_s - ledger.worked_s
    was_interrupted = False
    if not ledger.is_exhausted and (left_s is None or left_s > 0):
        try:
            was_interrupted = _run_trials(plan, run_folder, ledger, audience, budget_s=left_s)
        finally:
            ledger.put_back_running()
            study.note(WORKED_S, ledger.worked_s)
            study.settle(now=True)
            shutil.rmtree(run_folder / ENGINE_FOLDER, ignore_errors=True)
    return SearchOutcome(
        was_interrupted=was_interrupted,
        budget_used_up=budget_s is not None and ledger.worked_s >= budget_s,
        worked_s=ledger.worked_s,
    )


def _new_ledger(
    plan: SearchPlan, run_folder: Path, study: SearchStudy, audience: Audience
) -> Ledger:
    options = plan.options
    return Ledger(
        study,
        scheduler_of(options),
        audience,
        run_folder=run_folder,
        objective=plan.objective,
        num_trials=options.trials,
        max_concurrent=_max_concurrent(plan),
        keep_checkpoints=options.keep_checkpoints,
        max_failed_share=options.max_failed_share,
    )


def _max_concurrent(plan: SearchPlan) -> int | Callable[[], int]:
    """Return how many trials run at a time: on a cluster that grows, as many as then fit."""
    limit = plan.resources.max_concurrent
    if plan.resources.available is not None or isinstance(plan.options.max_concurrent, int):
        return limit
    return Capacity(plan.options, limit)


def _run_trials(
    plan: SearchPlan,
    run_folder: Path,
    ledger: Ledger,
    audience: Audience,
    *,
    budget_s: float | None,
) -> bool:
    """Run Tune until the ledger has no more trials; return whether Ctrl-C ended it."""
    is_private = plan.resources.available is not None
    # The books limit how many run; on a cluster that grows these become more.
    most = plan.resources.max_concurrent if is_private else plan.options.trials
    prepare_environment(max_concurrent=most, is_private=is_private)
    from search.tuning import tune_trials

    weights_dir = plan.options.weights_dir
    packing = packing_of(plan, ledger.study.trials)
    with _ray(plan) as dashboard, _depot(plan) as depot:
        if dashboard:
            audience.note(f"dashboard: http://{dashboard}")
        return tune_trials(
            ledger,
            storage=run_folder / ENGINE_FOLDER,
            constants={
                "run_folder": str(run_folder.resolve()),
                "metric": plan.options.metric,
                "cpus": plan.resources.cpus_per_trial,
                "gpus": plan.resources.gpus_per_trial,
                "weights_dir": weights_dir and str(weights_dir),
                "measure_in": None if packing is None else str(plan.data.cache_dir),
                "cache_dir": str(plan.data.cache_dir),
                "depot": depot,
            },
            max_failures=plan.options.max_failures,
            trial_timeout_s=plan.options.trial_timeout_s,
            budget_s=budget_s,
            packing=packing,
        )


def _ray(plan: SearchPlan) -> AbstractContextManager[str]:
    """Return what starts a private Ray, or nothing where a cluster has been joined before."""
    available = plan.resources.available
    return nullcontext("") if available is None else private_ray(available)


def _depot(plan: SearchPlan) -> "AbstractContextManager[Depot | None]":
    """Return what serves the run folder to workers elsewhere, of which a private Ray has none."""
    if plan.resources.available is not None:
        return nullcontext()
    from search.remote_depot import depot_here

    return depot_here([plan.run_folder])

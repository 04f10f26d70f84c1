"""Runs a search: Ray Tune does the work, the ledger keeps the books."""

import shutil
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import TrialState

from search.cluster import prepare_environment, private_ray
from search.ledger import WORKED_S, Audience, Ledger
from search.plan import SearchPlan
from search.rungs import Rungs
from search.study import SearchStudy, study_storage

ENGINE_FOLDER = ".ray"


@dataclass(frozen=True)
class SearchOutcome:
    """How a search ended.

    Args:
        num_by_state: Number of trials by the state they ended in.
        was_interrupted: Whether Ctrl-C ended it.
        budget_used_up: Whether the time budget ended it.
        worked_s: Seconds that it has run for, those before an interruption included.
    """

    num_by_state: dict[str, int]
    was_interrupted: bool
    budget_used_up: bool
    worked_s: float


def run_search(plan: SearchPlan, run_folder: Path, audience: Audience) -> SearchOutcome:
    """Run the trials of a search that are left to run, until none is or it is interrupted.

    Args:
        plan: What to search and with what; if that is a cluster, it has been joined.
        run_folder: The run folder; its study is made, or gone on with.
        audience: Is told of every event.

    Raises:
        SearchError: If the search cannot go on.
    """
    study = open_study(plan, run_folder)
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
            shutil.rmtree(run_folder / ENGINE_FOLDER, ignore_errors=True)
    return SearchOutcome(
        num_by_state=_count_states(study),
        was_interrupted=was_interrupted,
        budget_used_up=budget_s is not None and ledger.worked_s >= budget_s,
        worked_s=ledger.worked_s,
    )


def open_study(plan: SearchPlan, run_folder: Path) -> SearchStudy:
    """Return the study of a run folder, made if it is not there."""
    options = plan.options

    def suggest(trial: optuna.Trial) -> dict[str, Any]:
        return plan.space.suggest_config(
            trial,
            pins=options.pins,
            max_epochs=options.max_epochs,
            seed=options.seed,
            number=trial.number,
        )

    return SearchStudy(
        study_storage(run_folder),
        objective=plan.objective,
        suggest=suggest,
        seed=options.seed,
        starts=plan.space.starts[: options.trials],
    )


def _new_ledger(
    plan: SearchPlan, run_folder: Path, study: SearchStudy, audience: Audience
) -> Ledger:
    options = plan.options
    return Ledger(
        study,
        Rungs(options.rungs, reduction_factor=options.reduction_factor),
        audience,
        run_folder=run_folder,
        objective=plan.objective,
        num_trials=options.trials,
        max_concurrent=plan.resources.max_concurrent,
        keep_checkpoints=options.keep_checkpoints,
    )


def _run_trials(
    plan: SearchPlan,
    run_folder: Path,
    ledger: Ledger,
    audience: Audience,
    *,
    budget_s: float | None,
) -> bool:
    """Run Tune until the ledger has no more trials; return whether Ctrl-C ended it."""
    prepare_environment(max_concurrent=plan.resources.max_concurrent)
    from search.tuning import tune_trials

    with _ray(plan) as dashboard:
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
            },
            max_failures=plan.options.max_failures,
            budget_s=budget_s,
        )


def _ray(plan: SearchPlan) -> AbstractContextManager[str]:
    """Return what starts a private Ray, or nothing where a cluster has been joined before."""
    available = plan.resources.available
    return nullcontext("") if available is None else private_ray(available)


def _count_states(study: SearchStudy) -> dict[str, int]:
    names = {
        TrialState.COMPLETE: "complete",
        TrialState.PRUNED: "pruned",
        TrialState.FAIL: "failed",
        TrialState.WAITING: "waiting",
    }
    counts = dict.fromkeys(names.values(), 0)
    for trial in study.trials:
        counts[names[trial.state]] += 1
    return counts

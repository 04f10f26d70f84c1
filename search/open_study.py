"""Opens the study of a search for its plan."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import optuna
from optuna import get_all_study_names

from analysis.study_place import StudyPlace
from search.run_record import read_record
from search.study import SearchStudy

if TYPE_CHECKING:
    from search.plan import SearchPlan


def open_study(plan: "SearchPlan", run_folder: Path) -> SearchStudy:
    """Return the study that a run folder's record tells of, made if the search is new.

    Raises:
        ConfigError: If a search that goes on has none.
    """
    options, place = plan.options, StudyPlace.of(read_record(run_folder))
    storage = place.open(run_folder)
    if plan.resumes and place.name not in get_all_study_names(storage):
        raise place.missing(run_folder)

    def suggest(trial: optuna.Trial) -> dict[str, Any]:
        return plan.space.suggest_config(
            trial,
            pins=options.pins,
            max_epochs=options.max_epochs,
            seed=options.seed,
            number=trial.number,
        )

    return SearchStudy(
        storage,
        name=place.name,
        objective=plan.objective,
        suggest=suggest,
        seed=options.seed,
        starts=plan.check.starts,
        sampler=options.sampler,
        cost_aware=options.cost_aware,
    )

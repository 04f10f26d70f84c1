"""CMA-ES for a study: the state is worked out from the trials told so far, and kept nowhere."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
from cmaes import CMA
from optuna import Study
from optuna._transform import _SearchSpaceTransform
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.samplers import BaseSampler
from optuna.search_space import intersection_search_space
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

NUM_STARTUP = 10
# Of a range that is 1 wide: three deviations from the middle reach its ends.
FIRST_DEVIATION = 1 / 6
GENERATION = "cma:generation"


class CmaEs(BaseSampler):
    """Samples the numbers that every trial has; leaves the rest to another sampler.

    Optuna's own CmaEsSampler keeps its optimizer as a pickle in the study, where a study from
    elsewhere could run code when it is opened, and it gives up once the space loses a dimension.
    Here a trial only notes its generation; the generations that are full are told again to a new
    optimizer each time.

    Complete trials and pruned ones count with the values they were told with. Trials that do not
    come from a generation (the first ten, known-good starts, other runs' trials) say where it
    begins: at the best of them.

    Args:
        seed: Seed of what is drawn.
        others: Samples what is no number, or is not in every trial, and the first trials.

    References:
        Hansen, The CMA Evolution Strategy: A Tutorial, https://arxiv.org/abs/1604.00772
    """

    def __init__(self, *, seed: int, others: BaseSampler) -> None:
        self._seed = seed
        self._others = others

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Return the numbers that every trial told so far has."""
        del trial
        space = intersection_search_space(_told(study), include_pruned=True)
        return {
            name: distribution
            for name, distribution in space.items()
            if not isinstance(distribution, CategoricalDistribution) and not distribution.single()
        }

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Return values for a search space; none while too little has been told."""
        told = _told(study)
        if not search_space or len(told) < NUM_STARTUP:
            return {}
        transform = _SearchSpaceTransform(search_space, transform_0_1=True)
        sign = 1 if study.direction == StudyDirection.MINIMIZE else -1
        solutions = {
            t.number: (transform.transform(t.params), sign * cast("float", t.value)) for t in told
        }
        optimizer = self._replayed(solutions, _generations(told), num_dimensions=len(search_space))
        study._storage.set_trial_system_attr(trial._trial_id, GENERATION, optimizer.generation)
        return transform.untransform(optimizer.ask())

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:  # noqa: ANN401 - as Optuna has it
        """Return a value for a hyperparameter by itself."""
        return self._others.sample_independent(study, trial, param_name, param_distribution)

    def _replayed(
        self,
        solutions: Mapping[int, tuple[np.ndarray, float]],
        generations: Mapping[int, Sequence[int]],
        *,
        num_dimensions: int,
    ) -> CMA:
        """Return an optimizer that has been told every full generation.

        Args:
            solutions: Point [num_dimensions] in the unit cube and value by trial, smaller is
                better.
            generations: Trials by the number of their generation, -1 for those of none.
            num_dimensions: Dimensions of the cube.
        """
        outside = generations.get(-1, ()) or solutions
        first, _ = min((solutions[number] for number in outside), key=lambda solution: solution[1])
        optimizer = CMA(
            mean=first.copy(),
            sigma=FIRST_DEVIATION,
            bounds=np.array([[0.0, 1.0]] * num_dimensions),
            seed=self._seed,
        )
        while True:
            generation = generations.get(optimizer.generation, ())[: optimizer.population_size]
            if len(generation) < optimizer.population_size:
                return optimizer
            optimizer.tell([solutions[number] for number in generation])


def _told(study: Study) -> list[FrozenTrial]:
    """Return the trials that have a value, by number."""
    states = (TrialState.COMPLETE, TrialState.PRUNED)
    return [t for t in study.get_trials(deepcopy=False, states=states) if t.value is not None]


def _generations(told: Sequence[FrozenTrial]) -> dict[int, list[int]]:
    generations: dict[int, list[int]] = {}
    for trial in told:
        generation = trial.system_attrs.get(GENERATION, -1)
        generations.setdefault(generation, []).append(trial.number)
    return generations

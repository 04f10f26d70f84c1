"""A sampler that keeps away from what has always failed."""

from collections.abc import Mapping, Sequence
from typing import Any

from optuna import Study
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.trial import FrozenTrial, TrialState

MOST_DRAWS = 5


class AvoidingSampler(BaseSampler):
    """Suggests what another sampler does, but for choices that are to be avoided.

    Samplers learn nothing from failed trials. To TPE a choice without a value is even a gap worth
    filling: it suggests what fails again and again. Here that is drawn again a few times, and then
    one of the other choices at random, all before Optuna records it; so no trial is used up.
    Should every choice be one to avoid, it is tried.

    Args:
        sampler: What suggests.
        avoided: Values to avoid, by the name of their hyperparameter.
    """

    def __init__(self, sampler: BaseSampler, avoided: Mapping[str, Sequence[Any]]) -> None:
        self._sampler = sampler
        self._avoided = avoided

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Return the hyperparameters that are drawn together."""
        return self._sampler.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Draw hyperparameters together; one that stays to be avoided is then drawn by itself."""
        for _ in range(MOST_DRAWS):
            drawn = self._sampler.sample_relative(study, trial, search_space)
            bad = [name for name, value in drawn.items() if self._is_avoided(name, value)]
            if not bad:
                break
        return {name: value for name, value in drawn.items() if name not in bad}

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:  # noqa: ANN401 - whatever a hyperparameter may be
        """Draw one hyperparameter."""
        value = self._sampler.sample_independent(study, trial, param_name, param_distribution)
        if not self._is_avoided(param_name, value):
            return value
        others = self._others(param_name, param_distribution)
        if others is None:
            return value
        return RandomSampler(seed=trial.number).sample_independent(
            study, trial, param_name, others
        )

    def _others(self, name: str, known: BaseDistribution) -> CategoricalDistribution | None:
        """Return the choices that are not to be avoided, if there are any."""
        choices = known.choices if isinstance(known, CategoricalDistribution) else ()
        left = [choice for choice in choices if not self._is_avoided(name, choice)]
        return CategoricalDistribution(left) if left else None

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Let the sampler prepare."""
        self._sampler.before_trial(study, trial)

    def after_trial(
        self,
        study: Study,
        trial: FrozenTrial,
        state: TrialState,
        values: Sequence[float] | None,
    ) -> None:
        """Let the sampler take in how a trial ended."""
        self._sampler.after_trial(study, trial, state, values)

    def _is_avoided(self, name: str, value: object) -> bool:
        return value in self._avoided.get(name, ())

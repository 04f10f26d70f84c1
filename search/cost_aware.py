"""TPE that divides what a trial promises by what it costs."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.samplers._tpe.parzen_estimator import _ParzenEstimator
from optuna.samplers._tpe.sampler import default_gamma
from optuna.trial import FrozenTrial

from search.cost import EPOCHS, CostModel
from search.tpe import TOLD, Tpe


class CostAwareTpe(Tpe):
    """Optuna's TPE, choosing among its candidates by expected improvement a second.

    TPE takes the candidate with the largest l/g, the ratio of its densities of good and other
    trials. That ranks by expected improvement, which is proportional to 1 / (γ + (1 - γ) g/l) with
    the share γ of good trials; divided by a cost the form matters, and here it is that one. The
    cost is predicted from the trials of the study that have ended, so that an interrupted search
    goes on as it would have. Hyperparameters that are drawn apart from others are charged with
    what they make of the mean cost.

    References:
        Bergstra et al., Algorithms for Hyper-Parameter Optimization, 2011, equation 3;
        Snoek et al., Practical Bayesian Optimization of Machine Learning Algorithms, 2012,
        section 3.2.
    """

    _costs: CostModel
    _share_good: float

    def _sample(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        ended = study.get_trials(deepcopy=False, states=TOLD)
        self._costs = CostModel(ended, search_space)
        self._share_good = default_gamma(len(ended)) / max(1, len(ended))
        return super()._sample(study, trial, search_space)

    def _compute_acquisition_func(
        self,
        samples: dict[str, np.ndarray],
        mpe_below: _ParzenEstimator,
        mpe_above: _ParzenEstimator,
    ) -> np.ndarray:
        log_ratio = super()._compute_acquisition_func(samples, mpe_below, mpe_above)
        if not self._costs.is_known:
            return np.asarray(log_ratio)
        improvement = log_improvement(log_ratio, self._share_good)
        return np.asarray(improvement - self._log_cost(samples))

    def _log_cost(self, samples: Mapping[str, np.ndarray]) -> np.ndarray:
        of_epochs = np.log(samples[EPOCHS]) if EPOCHS in samples else 0.0
        return np.asarray(np.log(self._costs.seconds_an_epoch(samples)) + of_epochs)


def log_improvement(log_ratio: np.ndarray, share_good: float) -> np.ndarray:
    """Return the logarithm of the expected improvement, up to a constant.

    Args:
        log_ratio: log(l/g), float [n].
        share_good: Share γ of the trials that count as good, in (0, 1].

    Example:
        >>> import numpy as np
        >>> np.exp(log_improvement(np.log([1.0, 2.0, 1e9]), 0.1)).round(3).tolist()
        [1.0, 1.818, 10.0]
    """
    with np.errstate(divide="ignore"):
        log_good, log_other = np.log([share_good, 1 - share_good])
    return np.asarray(-np.logaddexp(log_good, log_other - log_ratio))

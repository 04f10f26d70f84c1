"""How long trials take: predicted from those of the study that have ended."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import FrozenTrial, TrialState

from analysis.study_file import GPUS, SECONDS

EPOCHS = "epochs"
FEWEST_TRIALS = 5
# As much as one trial says that a hyperparameter makes no difference.
RIDGE = 1.0


def device_seconds(trial: FrozenTrial) -> float:
    """Return the seconds of a trial, weighted by its share of a GPU where it had one, else NaN."""
    return float(trial.user_attrs.get(SECONDS, math.nan)) * gpu_share(trial)


def gpu_share(trial: FrozenTrial) -> float:
    """Return a trial's share of a GPU, 1 where it had none."""
    return float(trial.user_attrs.get(GPUS, 1)) or 1.0


class CostModel:
    """A ridge regression of the logarithm of a trial's seconds an epoch.

    Choices and numbers each multiply the time by a factor, as backbone, size and batch do to a
    good approximation; a number's factor is a power of it where it is drawn on a logarithmic
    scale, else exponential. A trial without a hyperparameter has factor 1 for it. Seconds on a
    share of a GPU count as that share.

    Args:
        trials: Trials of the study; those that have ended with epochs and seconds count.
        distributions: The hyperparameters to predict from, by name.
    """

    def __init__(
        self, trials: Sequence[FrozenTrial], distributions: Mapping[str, BaseDistribution]
    ) -> None:
        self._distributions = dict(sorted(distributions.items()))
        known = [trial for trial in trials if _has_cost(trial)]
        self.is_known = len(known) >= FEWEST_TRIALS and bool(distributions)
        if self.is_known:
            self._fit(known)

    def seconds_an_epoch(self, values: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the predicted device-seconds of an epoch, float [n].

        Args:
            values: Each hyperparameter's values as Optuna keeps them, float [n], NaN where there
                is none.
        """
        log_costs_N = self._mean + (self._columns(values) - self._means_F) @ self._factors_F
        return np.asarray(np.exp(log_costs_N))

    def seconds(self, params: Mapping[str, Any], *, epochs: int) -> float | None:
        """Return the predicted device-seconds of a whole trial, None while too few have ended.

        Args:
            params: Its hyperparameters by name, as suggested.
            epochs: Its epochs.
        """
        if not self.is_known:
            return None
        return float(self.seconds_an_epoch(self._internal([params]))[0]) * epochs

    def _fit(self, known: Sequence[FrozenTrial]) -> None:
        costs_N = np.array([device_seconds(t) / max(t.intermediate_values) for t in known])
        columns_NF = self._columns(self._internal([trial.params for trial in known]))
        self._mean = float(np.log(costs_N).mean())
        self._means_F = columns_NF.mean(axis=0)
        centred_NF = columns_NF - self._means_F
        gram_FF = centred_NF.T @ centred_NF + RIDGE * np.eye(centred_NF.shape[1])
        self._factors_F = np.linalg.solve(gram_FF, centred_NF.T @ (np.log(costs_N) - self._mean))

    def _internal(self, params: Sequence[Mapping[str, Any]]) -> dict[str, np.ndarray]:
        return {
            name: np.array(
                [known.to_internal_repr(p[name]) if name in p else math.nan for p in params], float
            )
            for name, known in self._distributions.items()
        }

    def _columns(self, values: Mapping[str, np.ndarray]) -> np.ndarray:
        blocks = [_features(known, values[name]) for name, known in self._distributions.items()]
        return np.concatenate(blocks, axis=1)


def _has_cost(trial: FrozenTrial) -> bool:
    has_ended = trial.state in (TrialState.COMPLETE, TrialState.PRUNED)
    return has_ended and bool(trial.intermediate_values) and device_seconds(trial) > 0


def _features(known: BaseDistribution, values_N: np.ndarray) -> np.ndarray:
    """Return the columns of a hyperparameter, float [N, F]; all 0 where it has no value."""
    if isinstance(known, CategoricalDistribution):
        is_choice_NF = values_N[:, None] == np.arange(len(known.choices))
        return np.asarray(is_choice_NF, float)
    assert isinstance(known, FloatDistribution | IntDistribution)
    scale = np.log if known.log else np.asarray
    low, high, at_N = (scale(np.asarray(v, float)) for v in (known.low, known.high, values_N))
    position_N = (at_N - low) / np.where(high > low, high - low, 1.0)
    return np.stack([np.nan_to_num(position_N), np.isfinite(values_N)], axis=1).astype(float)

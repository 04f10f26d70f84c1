"""How long trials are predicted to take."""

import numpy as np
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.storages import InMemoryStorage
from optuna.trial import TrialState, create_trial

from analysis.study_file import DEVICE_SECONDS, GPUS, PREDICTED_SECONDS, SECONDS
from search.cost import FEWEST_TRIALS, CostModel, device_seconds
from search.study import SearchStudy
from trainable.objective import Objective

DISTRIBUTIONS = {
    "backbone/name": CategoricalDistribution(["small", "large"]),
    "batch_size": IntDistribution(8, 64, log=True),
    "freeze/share": FloatDistribution(0.0, 1.0),
}


def ended(params, seconds, *, epochs=2, gpus=0.0, state=TrialState.COMPLETE):
    """Return a trial that has taken so many seconds."""
    return create_trial(
        state=state,
        value=None if state == TrialState.FAIL else 0.5,
        params=params,
        distributions={name: DISTRIBUTIONS[name] for name in params},
        intermediate_values={epoch + 1: 0.5 for epoch in range(epochs)},
        user_attrs={SECONDS: seconds, GPUS: gpus},
    )


def cost(params):
    """Return the true seconds an epoch: a large backbone ten times, a frozen share a factor."""
    factor = 10.0 if params["backbone/name"] == "large" else 1.0
    return factor * params["batch_size"] ** 0.5 * 0.3 ** params.get("freeze/share", 0.0)


@pytest.fixture
def trials():
    rng = np.random.default_rng(0)
    trials = []
    for number in range(120):
        params = {
            "backbone/name": ("small", "large")[number % 2],
            "batch_size": int(rng.integers(8, 65)),
        }
        if number % 3:
            params["freeze/share"] = float(rng.uniform())
        epochs = 1 + number % 5
        trials.append(ended(params, epochs * cost(params), epochs=epochs))
    return trials


@pytest.mark.parametrize(
    "params",
    [
        {"backbone/name": "small", "batch_size": 16},
        {"backbone/name": "large", "batch_size": 64, "freeze/share": 0.5},
    ],
)
def test_factors_are_found_and_multiply(trials, params):
    predicted = CostModel(trials, DISTRIBUTIONS).seconds(params, epochs=3)
    assert predicted == pytest.approx(3 * cost(params), rel=0.15)


def test_from_a_few_hyperparameters_the_mean_over_the_others_is_predicted(trials):
    of_backbone = {"backbone/name": DISTRIBUTIONS["backbone/name"]}
    small, large = CostModel(trials, of_backbone).seconds_an_epoch(
        {"backbone/name": np.array([0.0, 1.0])}
    )
    assert large / small == pytest.approx(10, rel=0.2)


def test_while_few_trials_have_ended_nothing_is_predicted(trials):
    params = trials[0].params
    failed = ended(params, 3.0, state=TrialState.FAIL)
    others = [failed, ended(params, 0.0), ended(params, 3.0, epochs=0)]
    few = CostModel([*trials[: FEWEST_TRIALS - 1], *others], DISTRIBUTIONS)
    assert few.seconds(params, epochs=3) is None
    enough = CostModel(trials[:FEWEST_TRIALS], DISTRIBUTIONS)
    assert enough.seconds(params, epochs=3) > 0
    assert not CostModel(trials, {}).is_known


def test_seconds_on_a_share_of_a_gpu_count_as_that_share():
    params = {"batch_size": 8}
    costs = [device_seconds(ended(params, 8.0, gpus=gpus)) for gpus in (0.0, 0.25, 1.0, 2.0)]
    assert costs == [8.0, 2.0, 8.0, 16.0]


def test_a_study_notes_what_a_trial_is_predicted_to_take_and_what_it_took():
    def suggest(trial):
        backbone = trial.suggest_categorical("backbone/name", ["small", "large"])
        return {"backbone/name": backbone, "epochs": 4}

    study = SearchStudy(
        InMemoryStorage(), objective=Objective(), suggest=suggest, seed=0, sampler="random"
    )
    for _ in range(FEWEST_TRIALS + 1):
        number = study.ask().number
        study.note_of(number, {GPUS: 0.5})
        study.report(number, epoch=1, value=0.5)
        study.complete(number, reason="epochs", seconds=3.0)
    attributes = [trial.user_attrs for trial in study.trials]
    assert all(PREDICTED_SECONDS not in attrs for attrs in attributes[:-1])
    assert attributes[-1][PREDICTED_SECONDS] == pytest.approx(4 * 1.5)
    assert [attrs[DEVICE_SECONDS] for attrs in attributes] == [1.5] * (FEWEST_TRIALS + 1)

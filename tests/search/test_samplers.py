"""What every sampler must do, and what each makes of trials that were stopped early."""

import copy
from itertools import pairwise
from typing import get_args

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import TrialState, create_trial

from analysis.study_file import SECONDS
from search.cma_es import GENERATION, NUM_STARTUP
from search.options import SamplerName
from search.samplers import make_sampler

NAMES = get_args(SamplerName)
LEARNING = [name for name in NAMES if name != "random"]
NUM_TRIALS = NUM_STARTUP + 8


@pytest.fixture(autouse=True)
def _quiet():
    optuna.logging.set_verbosity(optuna.logging.ERROR)


def suggest(trial):
    """Suggest in a space where a name, a number and a choice are there only sometimes."""
    trial.suggest_float("optimizer/lr", 1e-4, 1e-1, log=True)
    trial.suggest_int("batch_size", 16, 64, step=16)
    loss = trial.suggest_categorical("loss/name", ["cross_entropy", "focal", "f1"])
    if loss == "focal":
        trial.suggest_float("loss/gamma", 0.5, 5.0)
    if trial.suggest_float("cutmix/probability", 0.0, 1.0) > 0.5:
        trial.suggest_categorical("cutmix/kind", [True, False, None])
    return trial.params


def score(params):
    return 1.0 - abs(params["cutmix/probability"] - 0.3) - params["optimizer/lr"]


def ask(study, name, *, seed=0, number=None, cost_aware=False):
    number = len(study.trials) if number is None else number
    study.sampler = make_sampler(name, seed=seed, number=number, cost_aware=cost_aware)
    trial = study.ask()
    return trial, suggest(trial)


def tell(study, trial, params):
    """End a trial as a search does: every third stopped early, every seventh failed."""
    value = score(params)
    if trial.number % 7 == 6:
        study.tell(trial, state=TrialState.FAIL)
    elif trial.number % 3 == 2:
        trial.report(value / 2, 1)
        study.tell(trial, state=TrialState.PRUNED)
    else:
        study.tell(trial, value)


def searched(name, *, num_trials=NUM_TRIALS, num_workers=3, seed=0):
    """Return a study of finished trials, several of which ran at a time."""
    study = optuna.create_study(direction="maximize")
    running = []
    for _ in range(num_trials):
        running.append(ask(study, name, seed=seed))
        if len(running) == num_workers:
            tell(study, *running.pop(0))
    for trial, params in running:
        tell(study, trial, params)
    return study


@pytest.fixture(scope="module")
def studies():
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return {name: searched(name) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_suggestions_lie_in_the_space(studies, name):
    trials = studies[name].trials
    assert len(trials) == NUM_TRIALS
    for trial in trials:
        for key, value in trial.params.items():
            distribution = trial.distributions[key]
            assert distribution._contains(distribution.to_internal_repr(value))
        assert ("loss/gamma" in trial.params) == (trial.params["loss/name"] == "focal")
        assert trial.params["batch_size"] % 16 == 0


@pytest.mark.parametrize("name", NAMES)
def test_workers_that_ask_together_are_given_different_trials(studies, name):
    assert all(one.params != other.params for one, other in pairwise(studies[name].trials))


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_number_and_history_give_the_same_suggestion(studies, name):
    before = ask(copy.deepcopy(studies[name]), name)[1]
    again = ask(copy.deepcopy(studies[name]), name)[1]
    assert before == again
    assert ask(copy.deepcopy(studies[name]), name, seed=1)[1] != before
    assert ask(copy.deepcopy(studies[name]), name, number=99)[1] != before


@pytest.mark.parametrize("name", NAMES)
def test_a_running_trial_does_not_stand_in_the_way(studies, name):
    study = copy.deepcopy(studies[name])
    first, second = (ask(study, name)[1] for _ in range(2))
    assert first != second


def changed(study, change):
    """Return a study of the trials that ``change`` returns, which may be None."""
    trials = [change(copy.deepcopy(trial)) for trial in study.trials]
    other = optuna.create_study(direction="maximize")
    other.add_trials([trial for trial in trials if trial is not None])
    return other


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("state", [TrialState.COMPLETE, TrialState.PRUNED])
def test_trials_are_learnt_from_whether_complete_or_stopped_early(studies, name, state):
    other = changed(studies[name], lambda t: None if t.state == state else t)
    suggested = [ask(study, name, number=77)[1] for study in (changed(studies[name], same), other)]
    assert (suggested[0] == suggested[1]) == (name == "random")


def same(trial):
    return trial


def stopped_in_triumph(trial):
    if trial.state == TrialState.PRUNED:
        trial.intermediate_values, trial.values = {1: 9.0}, [9.0]
    return trial


@pytest.mark.parametrize(("name", "counts"), [("tpe", False), ("gp", True), ("cmaes", True)])
def test_the_value_that_a_trial_was_stopped_on_counts_as_documented(studies, name, counts):
    study, other = (changed(studies[name], change) for change in (same, stopped_in_triumph))
    assert (ask(study, name)[1] != ask(other, name)[1]) == counts


@pytest.mark.parametrize("name", NAMES)
def test_failed_trials_say_nothing(studies, name):
    def other_failure(trial):
        if trial.state == TrialState.FAIL:
            trial.params["optimizer/lr"] = 0.05
        return trial

    study, other = (changed(studies[name], change) for change in (same, other_failure))
    assert ask(study, name)[1] == ask(other, name)[1]


@pytest.mark.slow
@pytest.mark.parametrize("name", LEARNING)
def test_learning_beats_drawing_at_random(name):
    def mean_of_last(name):
        trials = [
            trial
            for seed in range(2)
            for trial in searched(name, num_trials=24, num_workers=2, seed=seed).trials[-6:]
        ]
        return sum(score(trial.params) for trial in trials) / len(trials)

    assert mean_of_last(name) > mean_of_last("random") + 0.05


def priced(params, *, value, seconds):
    """Return a trial of two epochs that has taken so many seconds."""
    distributions = {
        "resize": CategoricalDistribution(["small", "large"]),
        "optimizer/lr": FloatDistribution(1e-4, 1e-1, log=True),
    }
    return create_trial(
        params=params,
        distributions=distributions,
        value=value,
        intermediate_values={1: value, 2: value},
        user_attrs={SECONDS: seconds},
    )


@pytest.fixture
def priced_study():
    """Return a study where large images cost ten times as much and are no better."""
    study = optuna.create_study(direction="maximize")
    rng = np.random.default_rng(0)
    for lr in 10 ** rng.uniform(-4, -1, size=20):
        for resize, seconds in (("small", 2.0), ("large", 20.0)):
            value = 1.0 - abs(np.log10(lr) + 2.5)
            params = {"resize": resize, "optimizer/lr": float(lr)}
            study.add_trial(priced(params, value=value, seconds=seconds))
    return study


def share_of_large(study, *, cost_aware):
    large = 0
    for seed in range(30):
        study.sampler = make_sampler("tpe", seed=seed, number=40, cost_aware=cost_aware)
        trial = study.ask()
        large += trial.suggest_categorical("resize", ["small", "large"]) == "large"
        trial.suggest_float("optimizer/lr", 1e-4, 1e-1, log=True)
        study.tell(trial, state=TrialState.FAIL)
    return large / 30


def test_a_cost_aware_sampler_prefers_what_is_as_good_and_cheaper(priced_study):
    assert share_of_large(copy.deepcopy(priced_study), cost_aware=False) > 0.2
    assert share_of_large(copy.deepcopy(priced_study), cost_aware=True) < 0.1


def test_a_cost_aware_suggestion_follows_from_the_study_alone(priced_study):
    def params(study):
        study.sampler = make_sampler("tpe", seed=3, number=40, cost_aware=True)
        trial = study.ask()
        trial.suggest_categorical("resize", ["small", "large"])
        trial.suggest_float("optimizer/lr", 1e-4, 1e-1, log=True)
        return trial.params

    assert params(copy.deepcopy(priced_study)) == params(copy.deepcopy(priced_study))


def test_without_known_costs_a_cost_aware_sampler_is_as_any_other(studies):
    study = studies["tpe"]
    plain, aware = copy.deepcopy(study), copy.deepcopy(study)
    assert ask(plain, "tpe")[1] == ask(aware, "tpe", cost_aware=True)[1]


def test_cma_es_keeps_no_pickle_and_counts_its_generations(studies):
    trials = studies["cmaes"].trials
    assert {key for trial in trials for key in trial.system_attrs} == {GENERATION}
    study = searched("cmaes", num_trials=40, num_workers=2)
    generations = [
        t.system_attrs[GENERATION] for t in study.trials if GENERATION in t.system_attrs
    ]
    assert generations == sorted(generations)
    assert generations[-1] >= 2


def test_cma_es_goes_on_when_the_space_loses_a_number(studies):
    def without(trial):
        if trial.number == 3:
            del trial._distributions["batch_size"], trial.params["batch_size"]
        return trial

    study = changed(studies["cmaes"], without)
    _, params = ask(study, "cmaes")
    assert GENERATION in study.trials[-1].system_attrs
    assert params["batch_size"] in (16, 32, 48, 64)


def test_a_study_is_minimised_where_it_says_so():
    study = optuna.create_study(direction="minimize")
    for _ in range(45):
        study.sampler = make_sampler("cmaes", seed=0, number=len(study.trials))
        trial = study.ask()
        study.tell(trial, (trial.suggest_float("x", 0, 1) - 0.8) ** 2)
    assert all(abs(trial.params["x"] - 0.8) < 0.2 for trial in study.trials[-4:])

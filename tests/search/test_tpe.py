import random

import optuna
import pytest
from optuna.distributions import FloatDistribution
from optuna.samplers import TPESampler
from optuna.search_space.group_decomposed import _GroupDecomposedSearchSpace
from optuna.trial import TrialState

from search.told_trials import Groups, ToldTrials
from search.tpe import Tpe

NAMES = "abcdef"


def suggest(trial):
    """Suggest from a space of which most names depend on others."""
    if trial.suggest_categorical("loss", ["focal", "cross_entropy", "f1"]) == "focal":
        trial.suggest_float("gamma", 0.5, 5.0)
    optimizer = trial.suggest_categorical("optimizer", ["sgd", "adamw"])
    trial.suggest_float("lr", 1e-4, 1e-1, log=True)
    if optimizer == "sgd":
        trial.suggest_float("momentum", 0.5, 0.99)
    trial.suggest_int("epochs", 4, 12, step=2)
    return trial.params


def told(num_trials):
    """Return a study with trials of every state, and the same ones running in each."""
    study = optuna.create_study(
        direction="maximize", sampler=optuna.samplers.RandomSampler(seed=0)
    )
    rng = random.Random(0)
    for number in range(num_trials):
        trial = study.ask()
        suggest(trial)
        for epoch in range(1, rng.randint(2, 6)):
            trial.report(rng.random(), epoch)
        ends = {0: TrialState.PRUNED, 1: TrialState.PRUNED, 2: TrialState.COMPLETE}
        if number % 5 == 4:
            continue
        state = ends.get(number % 5, TrialState.FAIL)
        value = rng.random() if state is TrialState.COMPLETE else None
        study.tell(trial, value, state=state)
    return study


def suggested(study, sampler):
    study.sampler = sampler
    return suggest(study.ask())


pytestmark = pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")


@pytest.fixture(autouse=True)
def _quiet():
    optuna.logging.set_verbosity(optuna.logging.ERROR)


@pytest.mark.parametrize("num_trials", [0, 5, 12, 60])
def test_it_suggests_what_optunas_own_does_to_the_bit(num_trials):
    ours, theirs = told(num_trials), told(num_trials)
    for seed in range(4):
        own = TPESampler(seed=seed, multivariate=True, group=True, constant_liar=True)
        # Each suggestion stays as a running trial that the next one counts as poor.
        assert suggested(ours, Tpe(seed=seed)) == suggested(theirs, own)


def test_what_is_kept_of_ended_trials_changes_no_suggestion():
    ours, theirs, known = told(20), told(20), ToldTrials()
    for seed in range(8):
        own = TPESampler(seed=seed, multivariate=True, group=True, constant_liar=True)
        assert suggested(ours, Tpe(seed=seed, told=known)) == suggested(theirs, own)
        for study in (ours, theirs):  # the last one's end is known to the next
            study.tell(len(study.trials) - 1, seed / 8)


@pytest.mark.parametrize("seed", range(20))
def test_groups_are_optunas_in_their_order(seed):
    rng = random.Random(seed)
    study = optuna.create_study()
    for _ in range(8):
        names = rng.sample(NAMES, rng.randint(0, len(NAMES)))
        distributions = {name: FloatDistribution(0, 1) for name in names}
        params = dict.fromkeys(distributions, 0.5)
        study.add_trial(
            optuna.trial.create_trial(params=params, distributions=distributions, value=0.0)
        )
    expected = _GroupDecomposedSearchSpace().calculate(study).search_spaces
    groups = Groups()
    # Trials end in another order than they began.
    for number in rng.sample(range(8), 8):
        groups.add(number, study.trials[number].distributions)
    assert groups.search_spaces() == expected


def test_without_trials_there_are_no_groups():
    assert Groups().search_spaces() == []

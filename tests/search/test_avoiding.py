import optuna
import pytest
from optuna.trial import TrialState

from search.avoiding import AvoidingSampler
from search.samplers import make_sampler

CHOICES = ["adamw", "adamp", "sgd"]


def suggest(trial):
    name = trial.suggest_categorical("optimizer/name", CHOICES)
    if name == "sgd":
        trial.suggest_float("optimizer/momentum", 0.5, 0.99)
    return name, trial.suggest_float("optimizer/lr", 1e-4, 1e-1, log=True)


def names_drawn(sampler_name, avoided, *, num_trials=25):
    """Return what is suggested to a study whose trials with SGD all fail."""
    study = optuna.create_study(direction="maximize")
    drawn = []
    for number in range(num_trials):
        sampler = make_sampler(sampler_name, seed=0, number=number)
        study.sampler = AvoidingSampler(sampler, avoided)
        trial = study.ask()
        name, rate = suggest(trial)
        drawn.append(name)
        if name == "sgd":
            study.tell(trial, state=TrialState.FAIL)
        else:
            study.tell(trial, rate)
    return drawn


@pytest.mark.parametrize("sampler_name", ["tpe", "random", "gp", "cmaes"])
def test_no_sampler_suggests_what_is_to_be_avoided(sampler_name):
    drawn = names_drawn(sampler_name, {"optimizer/name": ["sgd"]})
    assert set(drawn) == {"adamw", "adamp"}


def test_what_is_not_to_be_avoided_is_suggested_as_without():
    assert "sgd" in names_drawn("tpe", {})
    assert names_drawn("tpe", {}) == names_drawn("tpe", {"loss/name": ["sgd"]})


def test_where_every_choice_is_to_be_avoided_it_is_tried():
    drawn = names_drawn("random", {"optimizer/name": CHOICES})
    assert set(drawn) == set(CHOICES)

import inspect

import optuna
import pytest

from spaces import suggest
from trainable.config import TrialConfig, parse_config
from trainable.part import members

BACKBONE = {"backbone/name": "test_efficientnet"}
# With the field that a name stands for, since the functions are named after it.
FUNCTIONS = {
    name.removeprefix("suggest_"): function
    for name, function in inspect.getmembers(suggest, inspect.isfunction)
    if name != "suggest_backbone"
}


def suggested(function, *arguments, seed=0, **options) -> dict:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed))
    trial = study.ask()
    function(trial, *arguments, **options)
    return trial.params


def part_names(family: str) -> list[str]:
    parts = members(TrialConfig.model_fields[family].annotation)
    return [part.part_name() for part in parts if part.part_name() != "custom"]


@pytest.mark.parametrize(
    ("family", "name"),
    [(family, name) for family in FUNCTIONS for name in part_names(family)],
)
def test_every_part_is_suggested_with_fields_that_it_has(family, name):
    params = suggested(FUNCTIONS[family], [name])
    config = parse_config(BACKBONE | params)
    assert getattr(config, family).name == name
    assert all(parameter.startswith(f"{family}/") for parameter in params)


@pytest.mark.parametrize("family", FUNCTIONS)
def test_by_default_every_part_of_a_family_can_be_chosen(family):
    default = inspect.signature(FUNCTIONS[family]).parameters["names"].default
    assert set(default) == set(part_names(family))


def test_fields_belong_to_what_was_chosen():
    loss = suggest.suggest_loss
    assert suggested(loss, ["focal"]).keys() == {"loss/name", "loss/gamma"}
    assert suggested(loss, ["f1"]).keys() == {"loss/name"}


def test_a_range_of_none_leaves_the_field_at_its_default():
    optimizer = suggest.suggest_optimizer
    params = suggested(optimizer, ["sgd"], weight_decay=None)
    assert params.keys() == {"optimizer/name", "optimizer/lr"}


def test_momentum_is_suggested_for_sgd_alone():
    options = {"weight_decay": None, "momentum": (0.8, 0.95)}
    sgd = suggested(suggest.suggest_optimizer, ["sgd"], **options)
    adamw = suggested(suggest.suggest_optimizer, ["adamw"], **options)
    assert "optimizer/momentum" in sgd
    assert "optimizer/momentum" not in adamw


def test_values_lie_in_the_range_that_was_given():
    for seed in range(20):
        params = suggested(suggest.suggest_optimizer, ["sgd"], lr=(0.01, 0.02), seed=seed)
        assert 0.01 <= params["optimizer/lr"] <= 0.02


def test_cosine_has_several_cycles_only_where_they_were_asked_for():
    schedule = suggest.suggest_schedule
    assert "schedule/num_cycles" not in suggested(schedule, ["cosine"])
    assert suggested(schedule, ["cosine"], max_cycles=3)["schedule/num_cycles"] in (1, 2, 3)


def test_a_backbone_is_suggested_with_its_start():
    assert suggested(suggest.suggest_backbone, ["resnet18"], pretrained=["hub"]) == {
        "backbone/name": "resnet18",
        "backbone/pretrained": "hub",
    }

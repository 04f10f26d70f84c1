import inspect
from pathlib import Path

import albumentations as A  # noqa: N812
import optuna
import pytest

from search.space_check import check_space
from search.space_file import load_space
from spaces import suggest
from trainable.config import TrialConfig, family_members, field_names, parse_config

BACKBONE = {"backbone/name": "test_efficientnet"}
# With the field that a name stands for, since the functions are named after it.
FUNCTIONS = {
    name.removeprefix("suggest_"): function
    for name, function in inspect.getmembers(suggest, inspect.isfunction)
    if name.removeprefix("suggest_") in TrialConfig.model_fields and name != "suggest_backbone"
}
# Every option of every function, so that whatever can be suggested is.
EVERYTHING = {
    "optimizer": {
        "layer_decay": (0.7, 0.9),
        "momentum": (0.8, 0.95),
        "nesterov": [False, True],
        "beta1": (0.8, 0.95),
        "beta2": (0.9, 0.999),
        "eps": (1e-8, 1e-4),
    },
    "schedule": {
        "floor": (1e-3, 0.1),
        "patience": (0.1, 0.3),
        "max_cycles": 3,
        "cycle_growth": (1.0, 2.0),
        "cycle_decay": (0.5, 1.0),
    },
    "augmentation": {"files": ["mine.yaml"]},
    "freeze": {"after": ["share", "plateau"], "warmup": (0.0, 0.2)},
}
VALUES = {
    "batch_size": [32, 64],
    "gradient_clip": [None, 1.0],
    "ema": [None, 0.99],
    "patience": [None, 5],
    "precision": ["fp32", "bf16"],
    "label_shift": [60, 58],
}
# Constants of AdamP's paper; what the run decides.
NOT_SEARCHED = {
    *("optimizer/delta", "optimizer/wd_ratio", "epochs", "seed", "resize"),
    *("compile", "deterministic"),
}


def suggested(function, *arguments, seed=0, **options) -> dict:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed))
    trial = study.ask()
    function(trial, *arguments, **options)
    return trial.params


def part_names(family: str) -> list[str]:
    return [part.part_name() for part in family_members(family)]


PARTS = [(family, name) for family in FUNCTIONS for name in part_names(family)]


@pytest.mark.parametrize(("family", "name"), PARTS)
def test_every_part_is_suggested_with_fields_that_it_has(family, name):
    for seed in range(10):
        options = EVERYTHING.get(family, {})
        params = suggested(FUNCTIONS[family], [name], seed=seed, **options)
        if params[f"{family}/name"] == name:
            config = parse_config(BACKBONE | params)
            assert getattr(config, family).name == name
        assert all(parameter.startswith(f"{family}/") for parameter in params)


def test_every_hyperparameter_can_be_suggested():
    found = {"backbone/name", "backbone/pretrained"}
    for seed in range(10):
        for family, name in PARTS:
            options = EVERYTHING.get(family, {})
            found |= suggested(FUNCTIONS[family], [name], seed=seed, **options).keys()
    found |= suggested(suggest.suggest_training, **VALUES).keys()
    known = {name for names in field_names().values() for name in names}
    assert known - found == NOT_SEARCHED


@pytest.mark.parametrize("family", FUNCTIONS)
def test_by_default_every_part_of_a_family_can_be_chosen(family):
    default = inspect.signature(FUNCTIONS[family]).parameters["names"].default
    # A pipeline of one's own needs its file.
    assert set(default) == set(part_names(family)) - {"custom"}


@pytest.mark.parametrize(("family", "name"), PARTS)
def test_a_function_returns_the_name_that_was_chosen(family, name):
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(0))
    trial = study.ask()
    assert FUNCTIONS[family](trial, [name]) == name == trial.params[f"{family}/name"]


def test_fields_belong_to_what_was_chosen():
    loss = suggest.suggest_loss
    assert suggested(loss, ["focal"]).keys() == {"loss/name", "loss/gamma"}
    assert suggested(loss, ["f1"]).keys() == {"loss/name"}


def test_a_range_of_none_leaves_the_field_at_its_default():
    optimizer = suggest.suggest_optimizer
    params = suggested(optimizer, ["sgd"], weight_decay=None)
    assert params.keys() == {"optimizer/name", "optimizer/lr"}


@pytest.mark.parametrize(
    ("name", "memory"),
    [
        ("sgd", {"momentum", "nesterov"}),
        ("adamw", {"beta1", "beta2", "eps"}),
        ("adamp", {"beta1", "beta2", "eps", "nesterov"}),
    ],
)
def test_each_optimizer_is_suggested_the_memory_that_it_has(name, memory):
    params = suggested(suggest.suggest_optimizer, [name], **EVERYTHING["optimizer"])
    rates = {"name", "lr", "weight_decay", "layer_decay"}
    assert {parameter.split("/")[1] for parameter in params} - rates == memory


def test_values_lie_in_the_range_that_was_given():
    for seed in range(20):
        params = suggested(suggest.suggest_optimizer, ["sgd"], lr=(0.01, 0.02), seed=seed)
        assert 0.01 <= params["optimizer/lr"] <= 0.02


def test_cosine_has_several_cycles_only_where_they_were_asked_for():
    schedule = suggest.suggest_schedule
    assert "schedule/num_cycles" not in suggested(schedule, ["cosine"])
    assert suggested(schedule, ["cosine"], max_cycles=3)["schedule/num_cycles"] in (1, 2, 3)


def test_one_cycle_neither_grows_nor_decays():
    found = [
        suggested(suggest.suggest_schedule, ["cosine"], seed=seed, **EVERYTHING["schedule"])
        for seed in range(20)
    ]
    assert {params["schedule/num_cycles"] for params in found} == {1, 2, 3}
    for params in found:
        several = params["schedule/num_cycles"] > 1
        assert ("schedule/cycle_growth" in params, "schedule/cycle_decay" in params) == (
            several,
            several,
        )


def test_melting_alone_waits_for_something():
    freeze = EVERYTHING["freeze"]
    melt = suggested(suggest.suggest_freeze, ["melt"], **freeze)
    assert melt.keys() == {"freeze/name", "freeze/after", "freeze/share", "freeze/warmup"}
    front = suggested(suggest.suggest_freeze, ["front"], **freeze)
    assert front.keys() == {"freeze/name", "freeze/share"}


def test_only_values_with_choices_are_suggested():
    assert suggested(suggest.suggest_training, ema=[0.9]) == {"ema": 0.9}


def test_a_backbone_is_suggested_with_its_start():
    assert suggested(suggest.suggest_backbone, ["resnet18"], pretrained=["hub"]) == {
        "backbone/name": "resnet18",
        "backbone/pretrained": "hub",
    }


CUSTOM = """
from spaces.suggest import suggest_augmentation, suggest_backbone

def space(trial):
    suggest_backbone(trial, ["test_efficientnet"])
    suggest_augmentation(trial, ["none"], files=["mine.yaml"])
"""


def test_a_pipeline_beside_the_space_is_found_from_anywhere(tmp_path, monkeypatch):
    (tmp_path / "mine").mkdir()
    path = tmp_path / "mine" / "custom.py"
    path.write_text(CUSTOM)
    pipeline = A.Compose([A.HorizontalFlip(p=0.5)])
    A.save(pipeline, path.with_name("mine.yaml"), data_format="yaml")
    monkeypatch.chdir(tmp_path)
    space = load_space(Path("mine/custom.py"))
    configs = check_space(space, pins={}, max_epochs=3, seed=0).configs.values()
    found = {config.augmentation.name: config.augmentation for config in configs}
    assert found.keys() == {"none", "custom"}
    assert found["custom"].file == str(path.with_name("mine.yaml"))

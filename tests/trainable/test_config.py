import pytest

from trainable.config import TrialConfig, field_names, parse_config, parsed_value
from trainable.errors import ConfigError

GOOD = {"backbone/name": "test_efficientnet", "optimizer/name": "sgd", "optimizer/lr": 0.1}


def test_flat_and_nested_configurations_are_the_same():
    nested = {"backbone": {"name": "test_efficientnet"}, "optimizer": {"name": "sgd", "lr": 0.1}}
    assert parse_config(GOOD) == parse_config(nested)


def test_what_is_written_to_json_is_read_back_the_same():
    config = parse_config(GOOD | {"resize": "64x48", "cutmix/name": "cutmix"})
    assert parse_config(config.model_dump(mode="json")) == config


def test_a_size_may_be_text_or_a_pair():
    assert parse_config(GOOD | {"resize": "64x48"}).resize == (64, 48)
    assert parse_config(GOOD | {"resize": [64, 48]}).resize == (64, 48)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"loss/name": "focl"}, "loss/name: expected a known loss, got 'focl'. Did you mean"),
        ({"loss/gamma": 1}, "loss/name: expected a name, got none. Known: cross_entropy, f1"),
        (
            {"loss/name": "focal", "loss/gama": 1},
            "loss/gama: expected a hyperparameter of loss/name=focal, got 'loss/gama'. "
            "Did you mean 'loss/gamma'?",
        ),
        ({"optimizer/lr": -1.0}, "optimizer/lr: expected greater than 0, got -1.0."),
        ({"optimizer/lr": float("nan")}, "optimizer/lr: expected a finite number, got nan."),
        ({"sed": 1}, "sed: expected a known hyperparameter, got 'sed'. Did you mean 'seed'?"),
        ({"resize": "64x"}, "resize: expected height x width in pixels, such as 128x96, got"),
        ({"resize": "4x4"}, "resize/0: expected greater than or equal to 8, got 4."),
        ({"patience": "x"}, "patience: expected a valid integer, got 'x'."),
        ({"precision": "fp8"}, "precision: expected 'fp32', 'bf16' or 'fp16', got 'fp8'."),
        ({"backbone/nam": "x"}, "backbone/nam: expected a hyperparameter of backbone, got"),
        ({"loss": "focal"}, "loss: expected"),
        ({"seed": 2**32}, "seed: expected less than or equal to 4294967295, got 4294967296."),
    ],
)
def test_a_wrong_value_is_named_with_what_was_expected(change, message):
    with pytest.raises(ConfigError) as refused:
        parse_config(GOOD | change)
    assert message in str(refused.value)


def test_all_problems_are_reported_together():
    with pytest.raises(ConfigError) as refused:
        parse_config(GOOD | {"optimizer/lr": 0, "loss/name": "x", "epochs": 0})
    assert len(refused.value.problems) == 3


def test_every_field_has_a_flat_name():
    names = field_names()
    assert names.keys() == TrialConfig.model_fields.keys()
    assert "optimizer/momentum" in names["optimizer"]
    assert names["seed"] == ("seed",)


@pytest.mark.parametrize(
    ("name", "value", "parsed"),
    [
        ("optimizer/lr", ".001", 0.001),
        ("optimizer/lr", "NaN", "NaN"),
        ("optimizer/lr", "fast", "fast"),
        ("epochs", 100.0, 100),
        ("epochs", 0.5, 0.5),
        ("patience", None, None),
        ("loss/name", "focl", "focl"),
        ("resize", "64x48", "64x48"),
        ("los/gamma", "1", "1"),
        ("loss/gama", "1", "1"),
        ("loss", "1", "1"),
    ],
)
def test_a_value_is_read_as_a_trial_reads_it_or_left_alone(name, value, parsed):
    read = parsed_value(name, value)
    assert (read, type(read)) == (parsed, type(parsed))


@pytest.mark.parametrize(
    ("parts", "epoch"),
    [
        ({}, 0),
        ({"schedule": {"name": "step"}}, 0),
        ({"schedule": {"name": "warmup", "share": 0.25}}, 8),
        ({"schedule": {"name": "cosine", "warmup": 0.1}}, 3),
        ({"schedule": {"name": "exponential", "warmup": 0.11}}, 4),
        ({"schedule": {"name": "plateau", "warmup": 0.1}}, 3),
        ({"freeze": {"name": "all"}}, 0),
        ({"freeze": {"name": "front"}}, 0),
        ({"freeze": {"name": "melt", "share": 0.4}}, 13),
        ({"freeze": {"name": "melt", "share": 0.4, "warmup": 0.1}}, 15),
        ({"freeze": {"name": "melt", "share": 0.1, "after": "plateau"}}, 5),
        (
            {
                "schedule": {"name": "cosine", "warmup": 0.2},
                "freeze": {"name": "melt", "share": 0.3},
            },
            16,
        ),
        (
            {
                "schedule": {"name": "warmup", "share": 0.6},
                "freeze": {"name": "melt", "share": 0.7},
            },
            30,
        ),
    ],
)
def test_a_trial_may_be_stopped_only_after_its_warm_up_and_its_frozen_phase(parts, epoch):
    config = parse_config({"backbone/name": "test_resnet", "epochs": 30, **parts})
    assert config.earliest_stop_epoch == epoch


@pytest.mark.parametrize("share", [0.01, 0.25, 0.5, 0.99])
@pytest.mark.parametrize("epochs", [1, 2, 5, 30])
def test_a_melting_trial_is_not_stopped_before_it_has_thawed(share, epochs):
    melt = {"freeze": {"name": "melt", "share": share}}
    config = parse_config({"backbone/name": "test_resnet", "epochs": epochs, **melt})
    plan = config.freeze.build(epochs)
    trained = [plan.first_trainable(epoch, num_groups=5) for epoch in range(epochs)]
    assert 0 in trained[: config.earliest_stop_epoch] or epochs == 1

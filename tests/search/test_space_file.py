import optuna
import pytest

from search.space_file import load_space
from trainable.errors import ConfigError


@pytest.fixture
def load(tmp_path):
    def load_source(source: str):
        path = tmp_path / "mine.py"
        path.write_text(source)
        return load_space(path)

    return load_source


def suggest(space, pins=None, **run):
    run = {"max_epochs": 9, "seed": 0, "number": 0} | run
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(0))
    return space.suggest_config(study.ask(), pins=pins or {}, **run)


LOSS = """
def space(trial):
    if trial.suggest_categorical("loss/name", ["focal"]) == "focal":
        trial.suggest_float("loss/gamma", 0.5, 5.0)
"""


def test_a_space_is_loaded_with_its_source_and_its_recommendations(load):
    space = load('DEFAULTS = {"trials": 16}\ndef space(trial): ...\n')
    assert space.name == "mine"
    assert space.recommended == {"trials": 16}
    assert space.source.startswith("DEFAULTS")


def test_starts_may_be_written_by_family(load):
    space = load(
        "STARTS = [{'resize': '64x48', 'loss': {'name': 'focal', 'gamma': 2.0}}, {'ema': None}]\n"
        "def space(trial): ...\n"
    )
    focal = {"resize": "64x48", "loss/name": "focal", "loss/gamma": 2.0}
    assert space.starts == (focal, {"ema": None})


def test_a_space_may_recommend_that_nothing_is_stopped_early(load):
    space = load('DEFAULTS = {"scheduler": "none"}\ndef space(trial): ...\n')
    assert space.recommended == {"scheduler": "none"}


def test_loading_a_space_writes_nothing_beside_it(load, tmp_path):
    load(LOSS)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.py"]


def test_a_missing_file_is_answered_with_those_there_are(tmp_path):
    (tmp_path / "quick.py").touch()
    message = r"quik\.py: expected a space file, got no such file.*there: quick\.py"
    with pytest.raises(ConfigError, match=message):
        load_space(tmp_path / "quik.py")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("\ndef space(trial:\n", r"mine\.py:2: expected Python, got SyntaxError: '\(' was never"),
        ("\n\n1 / 0\n", r"mine\.py:3: expected a space that loads, got ZeroDivisionError: div"),
        ("import nowhere\n", r"mine\.py:1: .*No module named 'nowhere'"),
        ("x = 1\n", r"mine\.py: expected a function space\(trial\), got none"),
        ("space = 1\n", r"mine\.py: expected a function space\(trial\), got 1"),
        ("DEFAULTS = 3\ndef space(t): ...\n", r"mine\.py: DEFAULTS: expected a dict, got 3"),
        (
            'DEFAULTS = {"trails": 3}\ndef space(t): ...\n',
            r"DEFAULTS: expected a known option, got 'trails'. Did you mean 'trials'",
        ),
        (
            'DEFAULTS = {"trials": 0}\ndef space(t): ...\n',
            r"DEFAULTS\['trials'\]: expected a whole number of at least 1, got 0",
        ),
        (
            'DEFAULTS = {"scheduler": "ahsa"}\ndef space(t): ...\n',
            r"DEFAULTS\['scheduler'\]: expected one of asha, hyperband, median, none, got 'ahsa'",
        ),
    ],
)
def test_a_file_that_is_no_space_is_answered_in_one_line(load, source, message):
    with pytest.raises(ConfigError, match=message) as error:
        load(source)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return [][1]", r"mine\.py:2: .*to suggest a configuration, got IndexError: list index"),
        ("trial.suggest_float('a', 2, 1)", r"mine\.py:2: .*got ValueError"),
        ("trial.suggest_flaot('a', 1, 2)", r"mine\.py:2: .*AttributeError"),
        (
            "trial.suggest_categorical('resize', [(64, 48)])",
            r"mine\.py:2: resize: expected None, True.* as choices, got \(64, 48\)",
        ),
    ],
)
def test_a_space_that_raises_is_answered_with_its_line(load, body, message):
    space = load(f"def space(trial):\n    {body}\n")
    with pytest.raises(ConfigError, match=message) as error:
        suggest(space)
    assert "\n" not in str(error.value)


def test_a_configuration_is_what_was_suggested_and_what_the_run_decides(load):
    config = suggest(load(LOSS), seed=40, number=2)
    assert config.keys() == {"loss/name", "loss/gamma", "epochs", "seed"}
    assert (config["epochs"], config["seed"]) == (9, 42)


def test_a_space_may_suggest_epochs_and_seed_within_the_limit(load):
    source = (
        "def space(t):\n    t.suggest_int('epochs', 20, 30)\n    t.suggest_int('seed', 7, 7)\n"
    )
    config = suggest(load(source))
    assert config == {"epochs": 9, "seed": 7}


def test_a_pin_takes_the_place_of_a_suggestion_and_is_not_drawn(load):
    study = optuna.create_study()
    trial = study.ask()
    config = load(LOSS).suggest_config(
        trial, pins={"loss/gamma": 2.0}, max_epochs=9, seed=0, number=0
    )
    assert config["loss/gamma"] == 2.0
    assert trial.params.keys() == {"loss/name"}


def test_a_pin_decides_what_the_space_asks_for_next(load):
    config = suggest(load(LOSS), {"loss/name": "f1"})
    assert config == {"loss/name": "f1", "epochs": 9, "seed": 0}


def test_a_pin_that_the_space_does_not_ask_for_is_added(load):
    config = suggest(load(LOSS), {"precision": "bf16", "seed": 5})
    assert (config["precision"], config["seed"]) == ("bf16", 5)


def test_a_pin_of_a_part_is_left_out_where_another_part_was_chosen(load):
    space = load("def space(t):\n    t.suggest_categorical('loss/name', ['f1'])\n")
    assert "loss/gamma" not in suggest(space, {"loss/gamma": 2.0})
    assert suggest(space, {"loss/name": "focal", "loss/gamma": 2.0})["loss/gamma"] == 2.0

import pytest

from analysis.run_folder import RunFolder
from analysis.trial_tables import failures_table, parameters_table
from trainable.errors import ConfigError

GIVEN = {"optimizer/lr": 0.1, "resize": "64x48"}
WRITTEN = {"optimizer": {"lr": 0.1, "eps": 1e-8, "name": "adamw"}, "resize": [64, 48], "ema": None}


@pytest.fixture
def run(make_run):
    trials = [{"state": "running", "config": GIVEN}, {"state": "waiting", "config": GIVEN}]
    run = RunFolder(make_run("run", trials))
    run.trial_folder(0).write_config(WRITTEN)
    return run


def test_parameters_are_those_of_the_trial_with_its_defaults(run):
    table = parameters_table(run)
    rows = table[table["trial"] == 0].drop(columns="trial").to_numpy().tolist()
    assert rows == [
        ["optimizer/lr", 0.1, False],
        ["resize", "64x48", False],
        ["optimizer/name", "adamw", True],
        ["optimizer/eps", 1e-8, True],
        ["ema", None, True],
    ]


def test_a_trial_that_has_not_begun_has_what_it_was_given(run):
    table = parameters_table(run)
    assert list(table.loc[table["trial"] == 1, "name"]) == ["optimizer/lr", "resize"]


@pytest.mark.parametrize("text", ["{", "[]"])
def test_a_damaged_configuration_is_named(run, text):
    run.trial_folder(0).config.write_text(text)
    with pytest.raises(ConfigError, match=r"0000/config\.json: expected the configuration of a"):
        parameters_table(run)


def test_failures_have_kind_reason_and_what_error_txt_says(make_run):
    reasons = ["train/loss: got nan in\nepoch 3.", "train/loss: got nan in epoch 5."]
    trials = [{"state": "failed", "curve": [0.1, 0.2], "reason": reason} for reason in reasons]
    run = RunFolder(make_run("run", [*trials, {"state": "complete", "curve": [0.5]}]))
    run.trial_folder(1).write_error("Traceback …\nValueError: nan")
    table = failures_table(run)
    assert list(table["trial"]) == [0, 1]
    assert list(table["kind"]) == ["train/loss: got nan in epoch N."] * 2
    assert list(table["reason"]) == ["train/loss: got nan in epoch 3.", reasons[1]]
    assert list(table["epochs"]) == [2, 2]
    assert list(table["error"]) == ["", "Traceback …\nValueError: nan"]


def test_a_run_without_trials_has_empty_tables_with_their_columns(make_run):
    run = RunFolder(make_run("empty", []))
    assert list(parameters_table(run)) == ["trial", "name", "value", "is_default"]
    assert parameters_table(run).empty
    assert failures_table(run).empty
    assert list(failures_table(run))[:3] == ["trial", "kind", "reason"]

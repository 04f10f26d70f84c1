import math
import os

import pandas as pd
import pytest

from analysis.run_folder import RunFolder, curves_table, trials_table
from trainable.errors import ConfigError

EVERY_STATE = [
    {"state": "complete", "curve": [0.1, 0.5, 0.4], "reason": "patience"},
    {"state": "pruned", "curve": [0.3, 0.2], "reason": "asha"},
    {"state": "failed", "curve": [0.9], "reason": "RuntimeError: out of memory"},
    {"state": "running", "curve": [0.25, 0.15]},
    {"state": "waiting"},
]


@pytest.fixture
def run(make_run):
    return RunFolder(make_run("every-state", EVERY_STATE))


def test_each_trial_has_a_row_with_its_state_and_reason(run):
    table = trials_table(run)
    assert list(table["trial"]) == [0, 1, 2, 3, 4]
    assert list(table["state"]) == ["complete", "pruned", "failed", "running", "waiting"]
    assert list(table["reason"]) == ["patience", "asha", "RuntimeError: out of memory", "", ""]


def test_a_complete_trial_counts_with_its_best_epoch_any_other_with_its_last(run):
    table = trials_table(run).set_index("state")
    assert list(table.loc["complete", ["value", "value_epoch", "best_epoch", "epochs"]]) == [
        0.5,
        2,
        2,
        3,
    ]
    assert list(table.loc["pruned", ["value", "value_epoch", "best_epoch"]]) == [0.2, 2, 1]
    assert list(table.loc["running", ["value", "value_epoch", "best_epoch"]]) == [0.15, 2, 1]


def test_failed_and_waiting_trials_have_no_value(run):
    table = trials_table(run).set_index("state")
    assert math.isnan(table.loc["failed", "value"])
    assert math.isnan(table.loc["waiting", "value"])


def test_a_loss_is_best_where_it_is_lowest(make_run):
    trials = [{"state": "complete", "curve": [0.9, 0.2, 0.4]}]
    run = RunFolder(make_run("loss", trials, metric="val/loss", mode="min"))
    assert list(trials_table(run).loc[0, ["value", "best_epoch"]]) == [0.2, 2]


def test_hyperparameters_are_columns_with_the_values_as_given(make_run):
    configs = [
        {"optimizer/lr": 0.1, "batch_size": 64, "resize": [128, 96]},
        {"optimizer/lr": 0.2, "loss/gamma": 2},
    ]
    trials = [{"state": "running", "config": config} for config in configs]
    table = trials_table(RunFolder(make_run("configs", trials)))
    config = table[[name for name in table if name.startswith("config/")]]
    assert list(config) == [
        "config/optimizer/lr",
        "config/batch_size",
        "config/resize",
        "config/loss/gamma",
    ]
    assert config.loc[0].dropna().to_list() == [0.1, 64, "128x96"]
    assert config.loc[1].dropna().to_list() == [0.2, 2]


def test_a_run_without_trials_has_empty_tables_with_their_columns(make_run):
    run = RunFolder(make_run("empty", []))
    assert list(trials_table(run))[:3] == ["trial", "state", "value"]
    assert trials_table(run).empty
    assert list(curves_table(run)) == ["trial", "epoch"]


def test_the_curves_hold_every_epoch_of_every_trial(run):
    curves = curves_table(run)
    assert list(curves["trial"]) == [0, 0, 0, 1, 1, 2, 3, 3]
    assert list(curves.loc[curves["trial"] == 0, "val/f1"]) == [0.1, 0.5, 0.4]


def test_a_damaged_curve_is_named(run):
    run.trial_folder(1).metrics.write_text("")
    with pytest.raises(ConfigError, match=r"0001/metrics\.csv: expected a table of metrics"):
        curves_table(run)
    pd.DataFrame({"step": [1]}).to_csv(run.trial_folder(1).metrics)
    with pytest.raises(ConfigError, match=r"0001/metrics\.csv: .*no column epoch"):
        curves_table(run)


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="runs: expected a run folder, got no such folder"):
        RunFolder(tmp_path / "runs")


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"expected a run folder, got one without run\.json"):
        RunFolder(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"metric": "val/f1"', r"run\.json: expected JSON, got"),
        ("[1]", r"run\.json: expected what search\.run writes, got no object"),
        ('{"metric": "val/f1", "data": {}}', "got no mode, data/fingerprint"),
        ('{"metric": "val/f1", "mode": "max", "data": {}}', "got no data/fingerprint"),
        ('{"metric": "val/f1", "mode": "max", "data": 7}', "got no data/fingerprint"),
    ],
)
def test_a_damaged_run_json_is_refused(run, text, message):
    (run.path / "run.json").write_text(text)
    with pytest.raises(ConfigError, match=message):
        RunFolder(run.path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write to every folder")
def test_images_are_decoded_into_the_readers_cache_where_the_searchs_is_closed(
    run, tmp_path, monkeypatch
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "mine"))
    tmp_path.chmod(0o500)
    assert run.data.cache_dir == tmp_path / "mine" / "classifier-search"
    tmp_path.chmod(0o700)


def test_images_are_decoded_where_the_search_did(run, tmp_path):
    assert run.data.cache_dir == tmp_path

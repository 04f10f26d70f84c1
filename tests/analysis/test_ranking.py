import pytest

from analysis.ranking import ranking_notes, ranking_table
from analysis.run_folder import RunFolder
from trainable.errors import ConfigError


def ranks(table):
    return {
        (run, int(trial)): None if rank is None else int(rank)
        for run, trial, rank in zip(
            table["run"],
            table["trial"],
            table["rank"].astype(object).where(table["rank"].notna(), None),
            strict=True,
        )
    }


def test_complete_and_pruned_trials_are_ranked_together_by_their_values(make_run):
    trials = [
        {"state": "complete", "curve": [0.4, 0.3]},
        {"state": "pruned", "curve": [0.5]},
        {"state": "complete", "curve": [0.6]},
    ]
    table = ranking_table([RunFolder(make_run("run", trials))])
    assert ranks(table) == {("run", 2): 1, ("run", 1): 2, ("run", 0): 3}


def test_a_pruned_trial_counts_with_its_last_epoch_not_its_best(make_run):
    trials = [{"state": "pruned", "curve": [0.9, 0.1]}, {"state": "complete", "curve": [0.5]}]
    table = ranking_table([RunFolder(make_run("run", trials))])
    assert ranks(table) == {("run", 1): 1, ("run", 0): 2}


def test_running_waiting_and_failed_trials_follow_without_a_rank(make_run):
    trials = [
        {"state": "failed", "curve": [0.9]},
        {"state": "running", "curve": [0.8]},
        {"state": "complete", "curve": [0.1]},
        {"state": "waiting"},
    ]
    table = ranking_table([RunFolder(make_run("run", trials))])
    assert list(table["state"]) == ["complete", "running", "waiting", "failed"]
    assert list(table["rank"].isna()) == [False, True, True, True]


def test_a_lower_loss_ranks_higher(make_run):
    trials = [{"state": "complete", "curve": [0.7]}, {"state": "complete", "curve": [0.2]}]
    run = RunFolder(make_run("run", trials, metric="val/loss", mode="min"))
    assert list(ranking_table([run])["trial"]) == [1, 0]


def test_accuracy_is_that_of_the_epoch_that_counts(make_run):
    trials = [
        {"state": "complete", "curve": [0.1, 0.5, 0.4]},
        {"state": "pruned", "curve": [0.3, 0.2]},
        {"state": "failed", "curve": [0.3]},
    ]
    table = ranking_table([RunFolder(make_run("run", trials))])
    assert list(table["accuracy"])[:2] == pytest.approx([0.51, 0.21])
    assert table["accuracy"].isna().iloc[2]


def test_trials_of_several_runs_are_ranked_together(make_run):
    runs = [
        RunFolder(make_run("a", [{"state": "complete", "curve": [0.2]}])),
        RunFolder(make_run("b", [{"state": "complete", "curve": [0.3]}])),
    ]
    assert ranks(ranking_table(runs)) == {("b", 0): 1, ("a", 0): 2}


def test_equally_good_trials_keep_their_order(make_run):
    trials = [{"state": "complete", "curve": [0.5]} for _ in range(5)]
    assert list(ranking_table([RunFolder(make_run("run", trials))])["trial"]) == [0, 1, 2, 3, 4]


def test_runs_of_different_metrics_are_refused(make_run):
    runs = [RunFolder(make_run("a", [])), RunFolder(make_run("b", [], metric="val/accuracy"))]
    with pytest.raises(ConfigError, match=r"b: metric: expected val/f1 as in .*a, got val/acc"):
        ranking_table(runs)


def test_a_note_says_when_the_data_of_runs_differ(make_run):
    runs = [RunFolder(make_run("a", [])), RunFolder(make_run("b", [], fingerprint="fedc"))]
    notes = ranking_notes(runs, ranking_table(runs))
    assert notes[-1].endswith("their data differ: a 0123456789abcdef, b fedc.")
    assert not any("differ" in note for note in ranking_notes(runs[:1], ranking_table(runs[:1])))


def test_a_note_says_what_a_running_trials_value_is(make_run):
    run = RunFolder(make_run("run", [{"state": "running", "curve": [0.1]}]))
    assert any("running" in note for note in ranking_notes([run], ranking_table([run])))

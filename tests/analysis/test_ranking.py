import pytest

from analysis.criterion import Criterion
from analysis.ranking import ranking_notes, ranking_table
from analysis.run_folder import RunFolder
from trainable.errors import ConfigError

SPLIT = "path,label,person,part\na.png,x,1,train\nb.png,y,2,val\n"
LOSSES = [
    {"state": "complete", "curve": [0.1, 0.5, 0.4], "others": {"val/loss": [2.0, 0.7, 0.3]}},
    {"state": "pruned", "curve": [0.9, 0.8], "others": {"val/loss": [0.2, 0.9]}},
    {"state": "complete", "curve": [0.6], "others": {"val/loss": [float("nan")]}},
    {"state": "running", "curve": [0.1, 0.1], "others": {"val/loss": [0.1, 0.4]}},
    {"state": "failed", "curve": [0.9], "others": {"val/loss": [0.01]}},
]


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
    message = r"metric: .* got val/f1 of .*a; val/accuracy of .*b\. Say by --metric which"
    with pytest.raises(ConfigError, match=message):
        ranking_table(runs)


def test_runs_whose_values_do_not_compare_are_ranked_apart_and_a_note_says_why(make_run):
    better = [{"state": "complete", "curve": [0.9]}]
    worse = [{"state": "complete", "curve": [0.1]}, {"state": "failed"}]
    others = {"fingerprint": "fedc"}, {"split": SPLIT.replace("val", "test")}
    runs = [RunFolder(make_run("a", worse)), RunFolder(make_run("b", better))]
    runs += [RunFolder(make_run(f"other{i}", better, **o)) for i, o in enumerate(others)]
    table = ranking_table(runs)
    assert list(table["run"]) == ["b", "a", "a", "other0", "other1"]
    assert list(table["data"]) == [1, 1, 1, 2, 3]
    assert list(table["rank"].fillna(0)) == [1, 2, 0, 1, 1]
    assert ranking_notes(runs, table)[-1] == (
        "Values compare only where data is equal, and ranks count there: 1 is a, b; 2 is other0 "
        "(another set of images than a); 3 is other1 (another split than a)."
    )
    assert not any("compare" in note for note in ranking_notes(runs[:2], table))


def test_a_run_whose_split_is_missing_compares_with_no_other(make_run):
    trials = [{"state": "complete", "curve": [0.9]}]
    runs = [RunFolder(make_run(name, trials)) for name in "abc"]
    for run in runs[:2]:
        (run.path / "split.csv").unlink()
    table = ranking_table(runs)
    assert list(table["data"]) == [1, 2, 3]
    notes = ranking_notes(runs, table)
    assert (
        "1 is a (its data cannot be read); 2 is b (its data cannot be read); 3 is c." in notes[1]
    )
    assert "a/split.csv: expected the split of a search, got none" in notes[2]
    assert list(ranking_table(runs[:1])["data"]) == [1]


def test_a_note_says_what_a_running_trials_value_is(make_run):
    run = RunFolder(make_run("run", [{"state": "running", "curve": [0.1]}]))
    assert any("running" in note for note in ranking_notes([run], ranking_table([run])))


@pytest.fixture
def losses(make_run):
    return [RunFolder(make_run("run", LOSSES))]


@pytest.mark.parametrize(
    ("at", "order", "values", "epochs"),
    [
        ("best", [1, 0, 3, 2, 4], [0.2, 0.3, 0.1], [1, 3, 1]),
        ("last", [0, 1, 3, 2, 4], [0.3, 0.9, 0.4], [3, 2, 2]),
    ],
)
def test_trials_are_ranked_by_any_metric_at_their_best_or_last_epoch(
    losses, at, order, values, epochs
):
    table = ranking_table(losses, Criterion("val/loss", at))
    assert list(table["trial"]) == [order[0], order[1], 2, 3, 4]
    by_trial = table.set_index("trial").loc[[*order[:2], 3]]
    assert list(by_trial["value"]) == values
    assert list(by_trial["value_epoch"]) == epochs
    assert list(table["rank"].fillna(0)) == [1, 2, 0, 0, 0]
    assert table.set_index("trial").loc[[2, 4], "value"].isna().all()


def test_of_equally_good_epochs_the_first_counts(make_run):
    run = RunFolder(make_run("run", [{"state": "pruned", "curve": [0.2, 0.7, 0.7]}]))
    assert list(ranking_table([run], Criterion("val/f1"))["value_epoch"]) == [2]


def test_the_columns_are_the_same_however_trials_are_ranked(losses):
    assert list(ranking_table(losses)) == list(ranking_table(losses, Criterion("val/loss")))


def test_notes_say_how_trials_were_ranked_which_were_not_and_what_weights_are_kept(losses):
    criterion = Criterion("val/loss", "last")
    notes = ranking_notes(losses, ranking_table(losses, criterion), criterion)
    assert notes == [
        "Ranked by val/loss, lower is better, at the last epoch of each trial, also of those "
        "stopped early.",
        "Not ranked, since they have no val/loss there: run 0002.",
        "Weights are kept of the best epoch by what the search optimised (val/f1).",
        "The value of a running trial is that of its last epoch so far.",
    ]
    by_f1 = ranking_notes(losses, ranking_table(losses, Criterion("val/f1")), Criterion("val/f1"))
    assert "val/f1, higher is better, at the best epoch" in by_f1[0]
    assert not any("Weights" in note for note in by_f1)


def test_an_unknown_metric_is_refused_with_the_nearest_known_ones(losses):
    with pytest.raises(ConfigError, match=r"--metric: .* got 'val/los'\. Did you mean 'val/loss'"):
        ranking_table(losses, Criterion("val/los"))


def test_runs_without_any_epoch_have_no_unknown_metric(make_run):
    runs = [RunFolder(make_run("empty", []))]
    assert ranking_table(runs, Criterion("val/loss")).empty


def test_runs_of_different_metrics_are_ranked_by_one_that_both_recorded(make_run):
    trials = [{"state": "complete", "curve": [0.5]}]
    runs = [RunFolder(make_run("a", trials)), RunFolder(make_run("b", trials, metric="val/x"))]
    table = ranking_table(runs, Criterion("val/accuracy"))
    assert list(table["value"]) == [0.51, 0.51]
    of_one = ranking_table(runs, Criterion("val/x"))
    assert list(of_one["run"]) == ["b", "a"]
    assert of_one["rank"].isna().iloc[1]


def test_each_trial_says_who_began_it_when_where_and_with_which_code(make_run):
    record = {
        "user": "ann",
        "started_at": "2026-01-31T10:00:00+00:00",
        "git_commit": "0123456789",
        "git_dirty": True,
        "hardware": {"host": "gpu7"},
        "resumed": [
            {"at": "2026-02-01T10:00:00+00:00", "command": "of an earlier version"},
            {"at": "2026-02-02T10:00:00+00:00", "first_trial": 1, "user": "bob"},
        ],
    }
    trials = [{"state": "complete", "curve": [0.9]}, {"state": "complete", "curve": [0.1]}]
    table = ranking_table([RunFolder(make_run("run", trials, **record))])
    who = table[["user", "started", "commit", "host"]].to_numpy().tolist()
    assert who == [
        ["ann", "2026-01-31T10:00:00+00:00", "0123456+", "gpu7"],
        ["bob", "2026-02-02T10:00:00+00:00", "", ""],
    ]

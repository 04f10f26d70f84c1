"""The tables under the figures, against values worked out by hand."""

import math

import numpy as np
import pandas as pd
import pytest

from analysis.manifest import parse_manifest
from analysis.recorded import read_confusions
from analysis.report.again import command_again, configuration_table
from analysis.report.by_class import f1_table
from analysis.report.confusion import confusion_figure, confusion_table
from analysis.report.cost import cost_table
from analysis.report.curves import curves_figure, curves_table, stops_table
from analysis.report.failing import failures_table
from analysis.report.headline import headline_table
from analysis.report.history import history_table
from analysis.report.importance import importance_table
from analysis.report.makeup import is_of, members_table
from analysis.report.mistakes import mistakes_table
from analysis.report.parallel import ABSENT, axis, parallel_table, shown_names
from analysis.report.slices import slices_table
from analysis.report.subject import Subject
from analysis.run_folder import RunFolder

TRIALS = [
    {"state": "complete", "curve": [0.2, 0.6, 0.5], "config": {"loss/name": "focal", "epochs": 3}},
    {"state": "pruned", "curve": [0.3], "config": {"loss/name": "focal", "epochs": 3}},
    {"state": "failed", "reason": "loss: got nan in epoch 1."},
    {"state": "complete", "curve": [0.4, 0.5, 0.8], "config": {"loss/name": "f1", "epochs": 3}},
    {"state": "pruned", "curve": [0.1, 0.7], "config": {"loss/name": "f1", "epochs": 3}},
    {"state": "failed", "reason": "loss: got nan in epoch 7."},
    {"state": "failed", "reason": "no memory"},
]


@pytest.fixture
def subject(subject_of):
    return subject_of(TRIALS)


@pytest.fixture
def trained(trained_run):
    return Subject.of(RunFolder(trained_run))


def test_history_counts_the_epochs_of_all_and_keeps_the_best(subject):
    table = history_table(subject)
    assert list(table["trial"]) == [0, 1, 3, 4]
    assert list(table["epochs_spent"]) == [3, 4, 7, 9]
    assert list(table["value"]) == [0.6, 0.3, 0.8, 0.7]
    assert list(table["best_so_far"]) == [0.6, 0.6, 0.8, 0.8]


def test_history_of_a_loss_goes_down(subject_of):
    trials = [{"state": "complete", "curve": [value]} for value in (0.5, 0.7, 0.2)]
    table = history_table(subject_of(trials, metric="val/loss", mode="min"))
    assert list(table["best_so_far"]) == [0.5, 0.5, 0.2]


def test_a_running_trial_is_no_best_value(subject_of):
    trials = [{"state": "running", "curve": [0.9]}, {"state": "complete", "curve": [0.5]}]
    table = history_table(subject_of(trials))
    assert list(table["trial"]) == [1, 0]
    assert list(table["best_so_far"]) == [0.5, 0.5]


def test_curves_come_in_the_order_of_the_ranking(subject):
    table = curves_table(subject)
    assert list(table["trial"].unique()) == [3, 4, 0, 1]
    assert list(table.loc[table["trial"] == 0, "value"]) == [0.2, 0.6, 0.5]


def test_of_many_curves_the_best_fifty_and_some_others_are_drawn(make_searched):
    subject = Subject.of(make_searched(503))
    drawn = list(curves_table(subject)["trial"].unique())
    ranked = list(subject.ranking["trial"])
    assert drawn[:50] == ranked[:50]
    assert drawn[50:] == ranked[50::4]
    assert len(drawn) == 164


def test_stops_tell_how_many_reached_an_epoch_and_ended_there(subject):
    table = stops_table(subject)
    assert table.to_dict("list") == {"epoch": [1, 2], "num_reached": [4, 3], "num_stopped": [1, 1]}
    drawn = curves_figure(curves_table(subject), table, "val/f1")
    assert [line.x0 for line in drawn.layout.shapes] == [1, 2]


def test_importance_finds_what_matters_also_where_it_is_conditional(make_searched):
    table = importance_table(Subject.of(make_searched(240)))
    assert list(table["name"])[:2] == ["optimizer/lr", "loss/name"]
    assert table["importance"].sum() == pytest.approx(1)
    of_name = table.set_index("name")
    assert (of_name["importance"] > of_name["chance"])[["optimizer/lr", "loss/name"]].all()
    assert 0 < of_name["num_trials"]["loss/gamma"] < 240
    idle = of_name.filter(like="idle/", axis=0)
    assert (idle["importance"] < idle["chance"]).sum() >= len(idle) - 1


def test_importance_of_few_trials_is_not_given(make_searched):
    assert importance_table(Subject.of(make_searched(29))).empty


def test_the_importance_of_a_conditional_parameter_is_that_among_trials_with_it(make_searched):
    run = make_searched(300, num_idle=1)
    focal = tuple(t for t in run.trials if t.params["loss/name"] == "focal")
    for number, trial in enumerate(focal):
        trial.number = number
    run.__dict__["trials"] = focal
    of_name = importance_table(Subject.of(run)).set_index("name")
    assert of_name["importance"]["loss/gamma"] > of_name["chance"]["loss/gamma"]
    assert of_name["importance"]["loss/gamma"] > of_name["importance"]["idle/0"]


def test_parallel_axes_place_numbers_choices_and_what_is_not_there():
    numbers = axis("lr", [0.001, 0.1, 0.01, 1.0, 10.0, None], is_log=True)
    assert numbers.positions == pytest.approx([0, 0.5, 0.25, 0.75, 1, ABSENT])
    assert numbers.ticks == ((ABSENT, "without"), (0.0, "0.001"), (0.5, "0.1"), (1.0, "10"))
    choices = axis("loss", ["focal", "f1", "f1"])
    assert choices.positions.tolist() == [1, 0, 0]
    assert axis("ema", [True, False]).texts == ("True", "False")
    assert axis("share", [0.0, 1.0, 2.0, 3.0, 4.0]).positions[1] == pytest.approx(0.25)


def test_parallel_shows_the_parameters_that_matter_and_the_best_trials(make_searched):
    subject = Subject.of(make_searched(600))
    names = shown_names(subject)
    assert {"optimizer/lr", "loss/name"} <= set(names)
    assert len(names) <= 6
    table = parallel_table(subject, names)
    assert list(table["trial"][:100]) == list(subject.ranking["trial"][:100])
    assert list(table["trial"][100:]) == list(subject.ranking["trial"][100::3])


def test_slices_compare_a_choice_with_the_others(subject):
    table = slices_table(subject).set_index("value")
    assert list(table.index) == ["f1", "focal"]
    assert table["mean"].to_dict() == pytest.approx({"f1": 0.75, "focal": 0.45})
    assert table["gain"].to_dict() == pytest.approx({"f1": 0.3, "focal": -0.3})
    assert table["best_trial"].to_dict() == {"f1": 3, "focal": 0}
    assert (table["low"]["f1"], table["high"]["f1"]) == pytest.approx((0.7, 0.8))
    assert table["gain_low"]["f1"] < 0.3 < table["gain_high"]["f1"]


def test_slices_of_a_loss_count_lower_as_better_and_a_single_trial_has_no_interval(subject_of):
    trials = [
        {"state": "complete", "curve": [value], "config": {"loss/name": name}}
        for name, value in (("focal", 0.5), ("focal", 0.7), ("f1", 0.2))
    ]
    table = slices_table(subject_of(trials, metric="val/loss", mode="min")).set_index("value")
    assert list(table.index) == ["f1", "focal"]
    assert table["gain"]["f1"] == pytest.approx(0.4)
    assert math.isnan(table["low"]["f1"])
    assert math.isnan(table["gain_low"]["f1"])
    assert table["low"]["focal"] == pytest.approx(0.5)


def test_cost_counts_what_early_stopping_saved(subject):
    table = cost_table(subject).set_index("state")
    assert list(table.index) == ["complete", "pruned", "failed"]
    assert list(table["epochs"]) == [6, 3, 0]
    assert list(table["seconds"]) == [12, 6, 0]
    assert list(table["epochs_saved"]) == [0, 2 + 1, 0]
    assert table["seconds_saved"]["pruned"] == pytest.approx(6)


def test_failures_are_counted_by_kind(subject):
    table = failures_table(subject)
    assert list(table["num_trials"]) == [2, 1]
    assert list(table["trials"]) == [[2, 5], [6]]
    assert table["reason"][0] == "loss: got nan in epoch 7."


def test_the_command_pins_everything_and_quotes_what_a_shell_would_read(subject_of):
    config = {"optimizer/lr": 1e-05, "resize": [64, 48], "ema": None, "backbone/name": "a b"}
    subject = subject_of([{"state": "complete", "curve": [0.5], "config": config | {"seed": 3}}])
    command = command_again(subject.run, 0)
    for pin in ("optimizer/lr=1e-05", "'resize=[64, 48]'", "ema=null", "'backbone/name=a b'"):
        assert f"--set {pin}" in command
    assert "--trials 1 --scheduler none" in command
    assert dict(configuration_table(subject).to_numpy())["resize"] == "64x48"


def test_confusions_are_shares_of_the_true_class():
    counts = pd.DataFrame([[3, 1], [0, 0]], index=["a", "b"], columns=["a", "b"])
    table = confusion_table(counts)
    assert list(table["images"]) == [3, 1, 0, 0]
    assert list(table["share"]) == [0.75, 0.25, 0, 0]


def test_of_many_classes_the_forty_worst_are_drawn():
    names = [f"c{number}" for number in range(60)]
    counts = pd.DataFrame(np.eye(60, dtype=int), index=names, columns=names)
    counts.loc["c59", "c58"] = 5
    table = confusion_table(counts)
    assert table["true"].nunique() == 40
    assert {"c58", "c59"} <= set(table["true"])


def test_class_names_that_are_numbers_are_no_numbers_in_figures():
    counts = pd.DataFrame([[1, 0], [0, 1]], index=["10", "2"], columns=["10", "2"])
    axis_ = confusion_figure(confusion_table(counts)).layout.xaxis
    assert (axis_.tickvals, axis_.ticktext) == ((0, 1), ("10", "2"))


def test_f1_agrees_with_what_training_recorded(trained):
    table = f1_table(trained.data, trained.probabilities)
    curve = pd.DataFrame(trained.run.trial_folder(trained.best).read_metrics())
    best = curve.loc[curve["val/f1"].idxmax()]
    for row in table.itertuples():
        name = f"class_f1/{row.value}" if row.of == "label" else f"f1/{row.of}/{row.value}"
        assert row.f1 == pytest.approx(best[f"val/{name}"], nan_ok=True)
        assert row.low <= row.f1 <= row.high or math.isnan(row.f1)
    sums = table.groupby("of")["num_images"].sum()
    assert set(sums) == {len(trained.data.rows("val"))}
    assert set(table["of"]) == {"label", "warm", "camera"}


def test_mistakes_are_those_of_the_validation_part_most_confident_first(trained):
    table = mistakes_table(trained.data, trained.probabilities)
    index = trained.data.index.table
    assert len(table) > 0
    assert (table["true"] != table["predicted"]).all()
    assert table["probability"].is_monotonic_decreasing
    assert list(index["part"][table["row"]].unique()) == ["val"]
    assert list(index["label"][table["row"]]) == list(table["true"])
    file = trained.run.trial_folder(trained.best).confusions
    label = read_confusions(file, trained.data.label_space)["label"].to_numpy()
    assert len(table) == min(20, label.sum() - np.trace(label))


def test_the_headline_has_no_test_part_without_a_bundle(trained):
    table = headline_table(trained.choice, None, trained.run)
    assert list(table["part"]) == ["val", "val", "crossfit", "crossfit"]
    of_part = table.set_index(["part", "what"])
    assert of_part["value"]["val", "ensemble"] >= of_part["value"]["val", "best member"]
    assert (table["low"] <= table["high"]).all()


def test_a_bundle_made_in_another_way_takes_the_place_of_the_greedy_ensemble(trained, bundle):
    manifest = parse_manifest(bundle / "bundle.json")
    members = members_table(trained.choice, manifest)
    assert set(members["member"]) == {"trained/0000", "trained/0001", "trained/0002"}
    assert members["weight"].sum() == pytest.approx(1)
    assert not is_of(trained.choice, manifest, "trained")
    table = headline_table(trained.choice, manifest, trained.run)
    of_part = table.set_index(["part", "what"])
    assert of_part["value"]["test", "ensemble"] == manifest.metrics["test/f1"].value
    assert ("crossfit", "ensemble") not in of_part.index


def test_members_of_the_greedy_ensemble_come_with_their_own_values(trained):
    members = members_table(trained.choice, None)
    assert members["weight"].sum() == pytest.approx(1)
    assert members["weight"].is_monotonic_decreasing
    own = dict(zip(members["member"], members["value"], strict=True))
    for name, value in own.items():
        curve = trained.run.trial_folder(int(name)).read_metrics()
        assert value == pytest.approx(max(row["val/f1"] for row in curve))
    assert is_of(trained.choice, None, "trained")

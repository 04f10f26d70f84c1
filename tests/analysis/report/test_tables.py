"""The tables under the figures, against values worked out by hand."""

import math
import shlex
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

from analysis.estimates.interval import corrected_interval
from analysis.estimates.labelled import Labelled
from analysis.estimates.people import resample_weights
from analysis.manifest import parse_manifest
from analysis.recorded import read_confusions, read_probabilities
from analysis.report.ablation import ablation_table, gain_intervals
from analysis.report.again import command_again, configuration_table
from analysis.report.by_class import f1_table
from analysis.report.confusion import confusion_figure, confusion_table, mistaken_pairs
from analysis.report.cost import clock_seconds, cost_table
from analysis.report.curves import curves_figure, curves_table, ends_table
from analysis.report.failing import failures_table
from analysis.report.headline import headline_table
from analysis.report.history import history_table, improvements_table
from analysis.report.importance import importance_table
from analysis.report.makeup import is_of, members_table
from analysis.report.mistakes import mistakes_table
from analysis.report.parallel import ABSENT, axis, parallel_table, shown_names
from analysis.report.price import price_table
from analysis.report.slices import slices_table
from analysis.report.stopping import rungs_of, stops_table
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


def test_the_curves_as_a_table_have_their_best_and_last_values(subject):
    table = ends_table(subject)
    assert table.to_dict("list") == {
        "trial": [3, 4, 0, 1],
        "state": ["complete", "pruned", "complete", "pruned"],
        "epochs": [3, 2, 3, 1],
        "best_epoch": [3, 2, 2, 1],
        "best": [0.8, 0.7, 0.6, 0.3],
        "last": [0.8, 0.7, 0.5, 0.3],
    }


def test_the_best_epoch_of_a_loss_is_the_lowest(subject_of):
    trials = [{"state": "complete", "curve": [0.5, 0.2, 0.4]}]
    table = ends_table(subject_of(trials, metric="val/loss", mode="min"))
    assert (table["best_epoch"][0], table["best"][0], table["last"][0]) == (2, 0.2, 0.4)


ASHA = {"scheduler": "asha", "max_epochs": 9, "grace_period": 2, "reduction_factor": 2}


def test_rungs_are_where_the_scheduler_has_them_and_stops_where_trials_were(subject):
    assert rungs_of(subject.run) == ()
    subject.run.facts["options"] = ASHA
    assert rungs_of(subject.run) == (2, 4, 8)
    table = stops_table(subject)
    assert table.to_dict("list") == {
        "epoch": [1, 2, 4, 8],
        "is_rung": [False, True, True, True],
        "num_reached": [4, 3, 0, 0],
        "num_stopped": [1, 1, 0, 0],
    }
    drawn = curves_figure(curves_table(subject), table, "val/f1")
    assert [line.x0 for line in drawn.layout.shapes] == [2, 4, 8]


@pytest.mark.parametrize("scheduler", ["median", "none"])
def test_a_scheduler_without_rungs_has_none(subject, scheduler):
    subject.run.facts["options"] = ASHA | {"scheduler": scheduler}
    assert rungs_of(subject.run) == ()


def test_improvements_are_the_trials_better_than_all_before(subject):
    table = improvements_table(history_table(subject))
    assert list(table["trial"]) == [0, 3]
    assert list(table["epochs_spent"]) == [3, 7]


def test_the_front_is_of_trials_that_no_cheaper_one_equals(subject_of):
    # Seconds are two an epoch.
    curves = [[0.1, 0.5], [0.4], [0.3, 0.4, 0.5], [0.1, 0.2, 0.6], [0.4]]
    table = price_table(subject_of([{"state": "complete", "curve": curve} for curve in curves]))
    assert table.to_dict("list") == {
        "trial": [1, 4, 0, 3, 2],
        "state": ["complete"] * 5,
        "seconds": [2, 2, 4, 6, 6],
        "value": [0.4, 0.4, 0.5, 0.6, 0.5],
        "is_front": [True, False, True, True, False],
    }


def test_the_front_of_a_loss_goes_down(subject_of):
    trials = [{"state": "complete", "curve": curve} for curve in ([0.5], [0.9, 0.6], [0.9, 0.4])]
    table = price_table(subject_of(trials, metric="val/loss", mode="min"))
    assert list(table.loc[table["is_front"], "trial"]) == [0, 2]


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
    assert table[["low", "high", "gain_low", "gain_high"]].isna().all(axis=None)


def test_the_interval_of_a_choice_is_that_of_its_mean_over_resampled_trials(subject_of):
    values = {"focal": (0.1, 0.2, 0.3, 0.4, 0.5, 0.6), "f1": (0.3, 0.3, 0.3, 0.3, 0.3)}
    trials = [
        {"state": "complete", "curve": [value], "config": {"loss/name": name}}
        for name, of_name in values.items()
        for value in of_name
    ]
    table = slices_table(subject_of(trials)).set_index("value")
    assert (table["low"]["f1"], table["high"]["f1"]) == pytest.approx((0.3, 0.3))
    # The mean's standard error is 0.1708 / sqrt(6), times 1.645 on either side of 0.35.
    low, high = 0.35 - 0.115, 0.35 + 0.115
    assert (table["low"]["focal"], table["high"]["focal"]) == pytest.approx((low, high), abs=0.02)
    assert table["gain_low"]["focal"] == pytest.approx(low - 0.3, abs=0.02)
    assert table["gain_high"]["f1"] == pytest.approx(0.3 - low, abs=0.02)


def test_slices_of_a_loss_count_lower_as_better_and_few_trials_have_no_interval(subject_of):
    trials = [
        {"state": "complete", "curve": [value], "config": {"loss/name": name}}
        for name, value in (("focal", 0.5), ("focal", 0.7), ("f1", 0.2))
    ]
    table = slices_table(subject_of(trials, metric="val/loss", mode="min")).set_index("value")
    assert list(table.index) == ["f1", "focal"]
    assert table["gain"]["f1"] == pytest.approx(0.4)
    assert table[["low", "gain_low"]].isna().all(axis=None)


def test_a_value_none_is_a_choice_and_not_what_a_trial_does_not_have(subject_of):
    clips = (None, 1.0, None, 1.0)
    trials = [
        {"state": "complete", "curve": [value], "config": {"gradient_clip": clip, "seed": seed}}
        for seed, (value, clip) in enumerate(zip((0.4, 0.5, 0.6, 0.9), clips, strict=True))
    ]
    trials.append({"state": "complete", "curve": [0.1], "config": {"seed": 9}})
    table = slices_table(subject_of(trials)).set_index("value")
    assert table["mean"].to_dict() == pytest.approx({"1": 0.7, "none": 0.5})
    assert list(table["num_trials"]) == [2, 2]


BASE = {
    "loss/name": "focal",
    "loss/gamma": 2.0,
    "optimizer/name": "adamw",
    "optimizer/lr": 0.01,
    "ema": None,
}


def changed(curve, seed, **changes):
    config = {**BASE, **{name.replace("__", "/"): value for name, value in changes.items()}}
    config = {name: value for name, value in config.items() if value != "gone"} | {"seed": seed}
    return {"state": "complete", "curve": curve, "config": config}


ABLATION = [
    changed([0.5], 0),
    changed([0.4], 1, loss__name="f1", loss__gamma="gone"),
    changed([0.7], 2, loss__gamma=5.0),
    changed([0.6], 3, ema=0.9),
    changed([0.9], 4, ema=0.9, loss__gamma=5.0),
    changed([0.55], 5),
    {**changed([0.8], 6, optimizer__lr=0.1), "state": "pruned"},
]


def test_an_ablation_compares_single_changes_of_complete_trials_with_their_base(subject_of):
    table = ablation_table(subject_of(ABLATION))
    rows = list(table[["family", "change", "trial", "value"]].itertuples(index=False, name=None))
    assert rows == [
        ("", "base", 0, 0.5),
        ("loss", "focal, gamma 5", 2, 0.7),
        ("loss", "f1", 1, 0.4),
        ("ema", "0.9", 3, 0.6),
        ("seed", "5", 5, 0.55),
    ]
    assert list(table["gain"]) == pytest.approx([0, 0.2, -0.1, 0.1, 0.05])
    assert table["low"].isna().all()


def test_an_ablation_by_a_loss_counts_lower_as_better(subject_of):
    table = ablation_table(subject_of(ABLATION, metric="val/loss", mode="min"))
    assert table.set_index("trial")["gain"][1] == pytest.approx(0.1)


@pytest.mark.parametrize(("num_trials", "num_rows"), [(3, 0), (4, 4)])
def test_fewer_than_three_single_changes_are_no_ablation(subject_of, num_trials, num_rows):
    assert len(ablation_table(subject_of(ABLATION[:num_trials]))) == num_rows


def test_the_interval_of_a_change_is_that_of_the_difference_on_the_same_people(trained):
    [(low, high)] = gain_intervals(trained, 0, [1]).values()
    probabilities = [
        read_probabilities(trained.run.trial_folder(n).probabilities, trained.data).probabilities
        for n in (0, 1)
    ]
    images = Labelled.of(trained.data, "val")

    def difference(times_P):
        drawn = np.repeat(np.arange(len(images)), times_P[images.person].astype(int))
        true = images.labels[drawn]
        scores = []
        for guess in (p.argmax(axis=1)[drawn] for p in probabilities):
            occurring = np.union1d(true, guess)
            scores.append(f1_score(true, guess, average="macro", labels=occurring))
        return scores[1] - scores[0]

    resampled = resample_weights(images, num_resamples=1_000, seed=0)
    everyone = np.ones(images.num_people)
    wanted = corrected_interval(
        np.array([difference(times_P) for times_P in resampled]),
        estimate=difference(everyone),
        left_out_G=np.array([difference(everyone - one) for one in np.eye(images.num_people)]),
    )
    assert (low, high) == pytest.approx(wanted, abs=1e-6)
    assert gain_intervals(trained, 1, [0])[0] == pytest.approx((-high, -low))


def test_cost_counts_what_early_stopping_saved(subject):
    table = cost_table(subject).set_index("state")
    assert list(table.index) == ["complete", "pruned", "failed"]
    assert list(table["epochs"]) == [6, 3, 0]
    assert list(table["seconds"]) == [12, 6, 0]
    assert list(table["epochs_saved"]) == [0, 2 + 1, 0]
    assert table["seconds_saved"]["pruned"] == pytest.approx(6)


def test_the_cost_of_a_running_trial_is_that_of_its_epochs_so_far(subject_of):
    trials = [{"state": "complete", "curve": [0.5]}, {"state": "running", "curve": [0.3, 0.4]}]
    table = cost_table(subject_of(trials)).set_index("state")
    assert table["seconds"].to_dict() == {"complete": 2, "running": 4}


def test_the_clock_runs_from_the_first_start_to_the_last_end(make_searched):
    subject = Subject.of(make_searched(30))
    for trial in subject.run.trials:
        trial.datetime_start = trial.datetime_complete - timedelta(seconds=10)
    assert clock_seconds(subject) == 29 + 10


def test_failures_are_counted_by_kind(subject):
    table = failures_table(subject)
    assert list(table["num_trials"]) == [2, 1]
    assert list(table["trials"]) == [[2, 5], [6]]
    assert table["reason"][0] == "loss: got nan in epoch 7."


def test_the_command_is_of_the_trials_folder_and_quotes_what_a_shell_would_read(subject_of):
    config = {"optimizer/lr": 1e-05, "resize": [64, 48], "ema": None, "backbone/name": "a b"}
    subject = subject_of([{"state": "complete", "curve": [0.5], "config": config | {"seed": 3}}])
    *_, option, place = shlex.split(command_again(subject.run, 0))
    assert (option, Path(place)) == ("--from", subject.run.trial_folder(0).path)
    subject.run.path = Path("my runs/a")
    assert command_again(subject.run, 7).endswith(" --from 'my runs/a/trials/0007'")
    table = configuration_table(subject)
    assert list(table["name"]) == ["optimizer/lr", "resize", "ema", "backbone/name", "seed"]
    assert list(table["value"]) == [1e-05, "64x48", "none", "a b", 3]


def test_confusions_are_shares_of_the_true_class():
    counts = pd.DataFrame([[3, 1], [0, 0]], index=["a", "b"], columns=["a", "b"])
    table = confusion_table(counts)
    assert list(table["images"]) == [3, 1, 0, 0]
    assert list(table["share"]) == [0.75, 0.25, 0, 0]


def test_mistaken_pairs_come_by_how_often_they_occur():
    counts = pd.DataFrame([[3, 1, 0], [2, 2, 0], [1, 0, 0]], index=[*"abc"], columns=[*"abc"])
    table = mistaken_pairs(counts)
    assert table.to_dict("list") == {
        "true": ["b", "c", "a"],
        "predicted": ["a", "a", "b"],
        "images": [2, 1, 1],
        "share": [0.5, 1, 0.25],
    }


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
    table = headline_table(trained.choice, None, trained.names)
    assert list(table["part"]) == ["val", "val", "crossfit", "crossfit"]
    of_part = table.set_index(["part", "what"])
    assert of_part["value"]["val", "ensemble"] >= of_part["value"]["val", "best member"]
    assert (table["low"] <= table["high"]).all()


def test_a_bundle_made_in_another_way_takes_the_place_of_the_greedy_ensemble(trained, bundle):
    manifest = parse_manifest(bundle / "bundle.json")
    members = members_table(trained.choice, manifest, trained.names)
    assert set(members["member"]) == {"0000", "0001", "0002"}
    elsewhere = members_table(trained.choice, manifest, {"another"})
    assert set(elsewhere["member"]) == {"trained/0000", "trained/0001", "trained/0002"}
    assert members["weight"].sum() == pytest.approx(1)
    assert not is_of(trained.choice, manifest, trained.names)
    table = headline_table(trained.choice, manifest, trained.names)
    of_part = table.set_index(["part", "what"])
    assert of_part["value"]["test", "ensemble"] == manifest.metrics["test/f1"].value
    assert ("crossfit", "ensemble") not in of_part.index


def test_members_of_the_greedy_ensemble_come_with_their_own_values(trained):
    members = members_table(trained.choice, None, trained.names)
    assert members["weight"].sum() == pytest.approx(1)
    assert members["weight"].is_monotonic_decreasing
    own = dict(zip(members["member"], members["value"], strict=True))
    for name, value in own.items():
        curve = trained.run.trial_folder(int(name)).read_metrics()
        assert value == pytest.approx(max(row["val/f1"] for row in curve))
    assert is_of(trained.choice, None, trained.names)

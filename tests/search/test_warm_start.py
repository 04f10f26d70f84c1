"""Earlier trials brought into a new search: which, how they are told apart, what counts them."""

import pytest
from optuna.trial import TrialState

from analysis.ranking import ranking_table
from analysis.run_folder import RunFolder
from analysis.study_file import FROM
from analysis.study_place import StudyPlace
from search.arguments import parse_arguments
from search.open_study import open_study
from search.plan import make_plan
from search.run_record import create_run_folder
from trainable.errors import ConfigError

SPACE = """
def space(trial):
    trial.suggest_categorical("backbone/name", ["test_efficientnet"])
    trial.suggest_categorical("resize", ["32x32"])
    trial.suggest_categorical("head/name", ["linear"])
    trial.suggest_categorical("optimizer/name", ["adamw"])
    if trial.suggest_categorical("loss/name", ["focal", "cross_entropy"]) == "focal":
        trial.suggest_float("loss/gamma", 0.5, 5.0)
    trial.suggest_float("optimizer/lr", 1e-3, 1e-1, log=True)
"""
RATES = (0.002, 0.01, 0.05)


@pytest.fixture
def planned(tmp_path, coloured_folder, cache_dir):
    """Return a function that plans a search of a space with this text."""

    def plan_of(*arguments, name="new", space=SPACE, data=coloured_folder):
        file = tmp_path / f"{name}.py"
        file.write_text(space)
        places = ["--runs-dir", tmp_path / "runs", "--cache-dir", cache_dir]
        options = ["--space", file, "--data", data, "--name", name, *places, *arguments]
        return make_plan(parse_arguments([str(text) for text in options]))

    return plan_of


@pytest.fixture
def old(planned):
    """Return a run folder with a complete, a pruned, a failed, and a waiting trial."""
    starts = [
        {"loss/name": "focal", "loss/gamma": 2.0},
        {"loss/name": "cross_entropy"},
        {"loss/name": "cross_entropy"},
    ]
    starts = [s | {"optimizer/lr": rate} for s, rate in zip(starts, RATES, strict=True)]
    fixed = {"backbone/name": "test_efficientnet", "resize": "32x32"}
    fixed |= {"head/name": "linear", "optimizer/name": "adamw"}
    plan = planned(name="old", space=f"{SPACE}\nSTARTS = {[fixed | s for s in starts]!r}\n")
    folder = create_run_folder(plan, [])
    study = open_study(plan, folder)
    for value in (0.6, 0.4, 0.1):
        number = study.ask().number
        study.report(number, epoch=1, value=value / 2)
        study.report(number, epoch=2, value=value)
    study.complete(0, reason="epochs", seconds=2.0)
    study.prune(1, reason="asha", seconds=1.0)
    study.fail(2, reason="train/loss: nan")
    study.ask()
    study.put_back(3)
    study.close()
    return folder


def begun(plan):
    """Return the study of a search that has just begun."""
    return open_study(plan, create_run_folder(plan, []))


def brought_in(plan):
    return StudyPlace().open(plan.run_folder).get_all_trials(1)


def test_finished_trials_come_with_their_states_values_and_whose_they_are(planned, old):
    plan = planned("--warm-start", old)
    begun(plan)
    complete, pruned = brought_in(plan)
    assert (complete.state, pruned.state) == (TrialState.COMPLETE, TrialState.PRUNED)
    assert (complete.value, pruned.value) == (0.6, 0.4)
    assert complete.intermediate_values == {1: 0.3, 2: 0.6}
    assert complete.params["loss/gamma"] == 2.0
    assert complete.user_attrs["config"]["optimizer/lr"] == RATES[0]
    assert (complete.user_attrs[FROM], pruned.user_attrs[FROM]) == ("old/0000", "old/0001")
    assert plan.notes == (f"warm start: 2 trials of {old}, not 2 without a result.",)


def test_trials_brought_in_are_none_of_the_search_itself(planned, old):
    plan = planned("--warm-start", old, "--trials", "3")
    study = begun(plan)
    assert study.trials == []
    assert study.num_to_run(3) == 3
    number = study.ask().number
    study.report(number, epoch=1, value=0.2)
    study.complete(number, reason="epochs", seconds=1.0)
    assert number == 2
    assert [trial.number for trial in study.trials] == [2]
    run = RunFolder(plan.run_folder)
    assert ranking_table([run])["trial"].tolist() == [2]
    assert ranking_table([run, RunFolder(old)])["run"].tolist().count("old") == 4


def test_the_sampler_learns_from_trials_brought_in(planned, tmp_path):
    earlier = planned(name="many")
    study = open_study(earlier, create_run_folder(earlier, []))
    for _ in range(30):
        suggestion = study.ask()
        rate = suggestion.config["optimizer/lr"]
        study.report(suggestion.number, epoch=1, value=float(rate < 0.003))
        study.complete(suggestion.number, reason="epochs", seconds=1.0)
    cold = begun(planned(name="cold"))
    warm = begun(planned("--warm-start", earlier.run_folder, name="warm"))

    def median_rate(study):
        return sorted(study.ask().config["optimizer/lr"] for _ in range(9))[4]

    assert median_rate(warm) < 0.004 < median_rate(cold)


def test_a_search_that_goes_on_needs_no_earlier_run(planned, old):
    plan = planned("--warm-start", old)
    create_run_folder(plan, [])
    old.rename(old.with_name("moved"))
    again = make_plan(parse_arguments(["--resume", str(plan.run_folder)]))
    study = open_study(again, plan.run_folder)
    assert study.ask().number == 2
    assert len(brought_in(plan)) == 3


@pytest.mark.parametrize(
    ("change", "taken"),
    [
        (('["focal", "cross_entropy"]', '["focal", "cross_entropy", "f1"]'), 2),
        (('["focal", "cross_entropy"]', '["cross_entropy"]'), 1),
        (("1e-3, 1e-1", "1e-3, 5e-3"), 1),
        (("1e-3, 1e-1, log=True", "1e-4, 1.0"), 2),
    ],
)
def test_only_trials_that_the_space_could_suggest_come_in(planned, old, change, taken):
    assert change[0] in SPACE
    plan = planned("--warm-start", old, space=SPACE.replace(*change))
    assert len(plan.earlier) == taken
    study = begun(plan)
    assert {study.ask().number for _ in range(3)} == set(range(taken, taken + 3))


def test_what_the_earlier_space_did_not_ask_for_had_its_default(planned, old):
    more = SPACE + '    trial.suggest_float("head/dropout", 0.0, 0.5)\n'
    plan = planned("--warm-start", old, space=more)
    assert [trial.params["head/dropout"] for trial in plan.earlier] == [0.0, 0.0]
    begun(plan).ask()


def test_pins_decide_which_trials_come_in(planned, old):
    plan = planned("--warm-start", old, "--set", f"optimizer/lr={RATES[1]}")
    assert [trial.user_attrs[FROM] for trial in plan.earlier] == ["old/0001"]
    assert "optimizer/lr" not in plan.earlier[0].params


def test_differences_that_make_values_hard_to_compare_are_said(planned, old):
    plan = planned("--warm-start", old, "--max-epochs", "7", "--seed", "5")
    what = "another split and --max-epochs 30: its values may not compare."
    assert plan.notes[0] == f"warm start: {old} has {what}"


def test_a_run_with_another_metric_is_refused(planned, old):
    with pytest.raises(ConfigError, match=r"--warm-start: .*metric: expected val/loss, got val/f"):
        planned("--warm-start", old, "--metric", "val/loss")


def test_a_run_with_other_classes_is_refused(planned, old):
    with pytest.raises(ConfigError, match=r"--warm-start: .*data: expected the classes 0, 1, 2, "):
        planned("--warm-start", old, data="digits")


def test_runs_that_are_none_are_reported_together(planned, tmp_path):
    with pytest.raises(ConfigError) as error:
        planned("--warm-start", tmp_path / "a", tmp_path)
    first, second = error.value.problems
    assert first.startswith(f"--warm-start: {tmp_path}/a: expected a run folder, got no such")
    assert second.startswith(f"--warm-start: {tmp_path}: expected a run folder, got one without")


def test_a_warm_start_without_effect_is_refused(planned, old):
    space = SPACE.replace("test_efficientnet", "test_resnet")
    what = "expected finished trials that the space could suggest, got none of 4"
    with pytest.raises(ConfigError, match=what):
        planned("--warm-start", old, space=space)


def test_a_search_that_goes_on_takes_no_warm_start(old):
    with pytest.raises(
        ConfigError, match=r"--resume: expected nothing besides .* got --warm-start"
    ):
        parse_arguments(["--resume", str(old), "--warm-start", str(old)])

from typing import get_args

import optuna
import pytest
from optuna.trial import TrialState

from analysis.study_place import StudyPlace
from search.options import SamplerName
from search.study import SearchStudy
from trainable.objective import Objective


def suggest(trial):
    return {"optimizer/lr": trial.suggest_float("optimizer/lr", 1e-4, 1e-1, log=True)}


@pytest.fixture
def opened(tmp_path):
    """Return a function that opens the study of one run folder."""

    def open_study(metric="val/f1", *, seed=0, space=suggest):
        objective = Objective(metric)
        return SearchStudy(
            StudyPlace().open(tmp_path), objective=objective, suggest=space, seed=seed
        )

    return open_study


def run(study, values):
    suggestion = study.ask()
    for epoch, value in enumerate(values, start=1):
        study.report(suggestion.number, epoch=epoch, value=value)
    study.settle(now=True)
    return suggestion


def test_a_finished_trial_is_complete_with_its_best_epochs_value(opened):
    study = opened()
    run(study, [0.2, 0.6, 0.5])
    study.complete(0, reason="epochs", seconds=3.5)
    trial = opened().trials[0]
    assert (trial.state, trial.value) == (TrialState.COMPLETE, 0.6)
    assert trial.intermediate_values == {1: 0.2, 2: 0.6, 3: 0.5}
    assert trial.user_attrs["reason"] == "epochs"
    assert trial.user_attrs["best_epoch"] == 2
    assert trial.user_attrs["seconds"] == 3.5


def test_a_stopped_trial_is_pruned_with_its_last_epochs_value(opened):
    study = opened()
    run(study, [0.2, 0.6, 0.5])
    assert study.prune(0, reason="asha", seconds=1.0) == 0.5
    trial = opened().trials[0]
    assert (trial.state, trial.value) == (TrialState.PRUNED, 0.5)


def test_a_failed_trial_is_fail_with_its_reason_and_no_value(opened):
    study = opened()
    run(study, [0.2])
    study.fail(0, reason="train/loss: nan")
    trial = opened().trials[0]
    assert (trial.state, trial.value) == (TrialState.FAIL, None)
    assert trial.user_attrs["reason"] == "train/loss: nan"


def test_losses_are_minimised(opened):
    study = opened("val/loss")
    run(study, [2.0, 0.5, 0.7])
    assert study.complete(0, reason="epochs", seconds=0) == 0.5
    assert study.curve(0) == {1: -2.0, 2: -0.5, 3: -0.7}


def test_the_first_of_equal_epochs_is_the_best(opened):
    study = opened()
    run(study, [0.1, 0.6, 0.6])
    assert study.best(0) == (2, 0.6)


def test_an_interrupted_trial_is_asked_again_under_its_number_and_configuration(opened):
    study = opened()
    first = run(study, [0.3])
    study.put_back(0)
    assert study.trials[0].state == TrialState.WAITING
    again = opened(seed=99).ask()
    assert (again.number, again.config) == (first.number, first.config)


def test_trials_of_a_dead_process_are_put_back_and_keep_their_epochs(opened):
    run(opened(), [0.3, 0.4])
    study = opened()
    assert study.put_back_orphans() == [0]
    assert study.ask().number == 0
    assert study.epochs_reported(0) == 2


def test_a_trials_own_process_does_not_put_it_back(opened):
    study = opened()
    run(study, [0.3])
    assert study.put_back_orphans() == []


def test_what_is_left_to_run_counts_waiting_trials(opened):
    study = opened()
    run(study, [0.3])
    study.complete(0, reason="epochs", seconds=0)
    run(study, [0.3])
    study.put_back(1)
    assert study.num_to_run(5) == 4
    assert study.num_to_run(2) == 1
    assert study.num_to_run(1) == 1


def sequence(study, num_trials):
    configs = []
    for _ in range(num_trials):
        suggestion = study.ask()
        configs.append(suggestion.config)
        study.report(suggestion.number, epoch=1, value=suggestion.config["optimizer/lr"])
        study.complete(suggestion.number, reason="epochs", seconds=0)
    return configs


@pytest.mark.parametrize("sampler", get_args(SamplerName))
def test_suggestions_do_not_depend_on_an_interruption(tmp_path, sampler):
    def study(name):
        (tmp_path / name).mkdir(exist_ok=True)
        storage = StudyPlace().open(tmp_path / name)
        objective = Objective()
        return SearchStudy(storage, objective=objective, suggest=suggest, seed=7, sampler=sampler)

    straight = sequence(study("straight"), 16)
    cut = sequence(study("cut"), 6) + sequence(study("cut"), 7) + sequence(study("cut"), 3)
    assert cut == straight
    assert len({config["optimizer/lr"] for config in straight}) > 10


def test_notes_are_kept(opened):
    opened().note("worked_s", 12.5)
    assert opened().noted("worked_s") == 12.5
    assert opened().noted("absent", 0) == 0


def test_the_study_opens_as_optunas_own(opened, tmp_path):
    run(opened(), [0.3])
    study = optuna.load_study(study_name="search", storage=f"sqlite:///{tmp_path}/study.db")
    assert study.trials[0].params.keys() == {"optimizer/lr"}


def test_known_good_configurations_come_first_and_only_once(tmp_path):
    def study():
        return SearchStudy(
            StudyPlace().open(tmp_path),
            objective=Objective(),
            suggest=suggest,
            seed=0,
            starts=[{"optimizer/lr": 0.02}, {"optimizer/lr": 0.003}],
        )

    first = study()
    assert first.num_to_run(2) == 2
    assert first.ask().config == {"optimizer/lr": 0.02}
    second = study()
    second.put_back_orphans()
    asked = [second.ask().config["optimizer/lr"] for _ in range(3)]
    assert asked[:2] == [0.02, 0.003]
    assert asked[2] not in asked[:2]


@pytest.fixture
def started(tmp_path):
    """Return a function that opens a study with starts for two numbers."""

    def suggest_two(trial):
        clip = trial.suggest_float("gradient_clip", 0.5, 5.0)
        return suggest(trial) | {"gradient_clip": clip}

    def open_study(*starts):
        storage = StudyPlace().open(tmp_path)
        return SearchStudy(
            storage, objective=Objective(), suggest=suggest_two, seed=0, starts=starts
        )

    return open_study


def test_starts_that_a_short_search_did_not_reach_come_first_when_it_is_extended(started):
    starts = [{"optimizer/lr": lr, "gradient_clip": 1.0} for lr in (0.02, 0.003, 0.05)]
    first = started(*starts)
    asked = [first.ask().config]
    extended = started(*starts)
    asked += [extended.ask().config for _ in range(3)]
    assert asked[:3] == starts
    assert asked[3] not in starts
    assert len(extended.trials) == 4


def test_an_interrupted_trial_comes_before_the_next_start(started):
    starts = [{"optimizer/lr": lr, "gradient_clip": 1.0} for lr in (0.02, 0.003)]
    first = started(*starts)
    first.ask()
    first.put_back(0)
    second = started(*starts)
    assert [second.ask().number for _ in range(2)] == [0, 1]
    assert second.trials[1].params == starts[1]


def test_what_a_start_leaves_open_is_suggested(started):
    config = started({"optimizer/lr": 0.02}).ask().config
    assert config["optimizer/lr"] == 0.02
    assert 0.5 <= config["gradient_clip"] <= 5.0


def test_the_sampler_is_the_one_that_was_asked_for(tmp_path):
    def configs(sampler):
        (tmp_path / sampler).mkdir()
        storage = StudyPlace().open(tmp_path / sampler)
        objective = Objective()
        study = SearchStudy(storage, objective=objective, suggest=suggest, seed=7, sampler=sampler)
        return sequence(study, 12)

    drawn = {sampler: configs(sampler) for sampler in ("random", "tpe", "cmaes")}
    assert drawn["tpe"][:10] == drawn["random"][:10]
    assert len({str(configs[10:]) for configs in drawn.values()}) == 3

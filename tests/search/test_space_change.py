"""Going on with a changed space: what differs, what a study cannot mix, what is kept."""

import pytest
from optuna.trial import TrialState

from analysis.run_folder import RunFolder
from search.arguments import parse_arguments
from search.open_study import open_study
from search.plan import make_plan
from search.run_record import create_run_folder, read_record, record_resume
from trainable.errors import ConfigError

SPACE = """
def space(trial):
    trial.suggest_categorical("backbone/name", ["test_efficientnet"])
    trial.suggest_categorical("resize", ["32x32"])
    trial.suggest_categorical("optimizer/name", ["adamw", "sgd"])
    trial.suggest_float("optimizer/lr", 1e-3, 1e-1, log=True)
    trial.suggest_float("gradient_clip", 0.5, 5.0)
"""


@pytest.fixture
def run_folder(tmp_path, coloured_folder, cache_dir):
    """Return the run folder of a search that has run three trials."""
    (tmp_path / "tiny.py").write_text(SPACE)
    options = {"space": tmp_path / "tiny.py", "data": coloured_folder, "name": "mine"}
    options |= {"runs-dir": tmp_path / "runs", "cache-dir": cache_dir}
    pairs = [text for name, value in options.items() for text in (f"--{name}", str(value))]
    plan = make_plan(parse_arguments(pairs))
    folder = create_run_folder(plan, pairs)
    study = open_study(plan, folder)
    for _ in range(3):
        number = study.ask().number
        study.report(number, epoch=1, value=0.5)
        study.complete(number, reason="epochs", seconds=1.0)
    study.close()
    return folder


@pytest.fixture
def changed(run_folder, tmp_path):
    """Return a function that plans to go on with another text of the space."""

    def plan_with(old, new):
        assert old in SPACE
        (tmp_path / "new.py").write_text(SPACE.replace(old, new))
        arguments = ["--resume", str(run_folder), "--space", str(tmp_path / "new.py")]
        return make_plan(parse_arguments([*arguments, "--trials", "9"]))

    return plan_with


def test_what_a_changed_space_asks_for_is_said(changed):
    clip = '    trial.suggest_float("gradient_clip", 0.5, 5.0)\n'
    ema = '    trial.suggest_float("ema", 0.5, 0.9)\n'
    assert changed(clip, ema).notes == (
        "space: asks for ema (0.5 to 0.9), too.",
        "space: no longer asks for gradient_clip (0.5 to 5).",
    )


def test_a_changed_range_is_said_with_the_trials_outside_of_it(changed, run_folder):
    rates = [trial.params["optimizer/lr"] for trial in RunFolder(run_folder).trials]
    low = (min(rates) * max(rates)) ** 0.5
    num_outside = sum(rate < low for rate in rates)
    assert 0 < num_outside < 3
    assert changed("1e-3, 1e-1", f"{low!r}, 0.5").notes == (
        f"space: optimizer/lr: {low:g} to 0.5, log instead of 0.001 to 0.1, log.",
        f"space: {num_outside} trials so far have values that it would not suggest.",
    )


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ('["adamw", "sgd"]', '["adamw", "sgd", "adam"]', "optimizer/name"),
        ("1e-3, 1e-1, log=True", "1e-3, 1e-1", "optimizer/lr"),
        ('float("gradient_clip", 0.5, 5.0)', 'int("gradient_clip", 1, 5)', "gradient_clip"),
    ],
)
def test_what_a_study_cannot_mix_is_refused_with_the_remedy(changed, old, new, name):
    what = f"--space: {name}.* what the search began with .* with --warm-start instead"
    with pytest.raises(ConfigError, match=what):
        changed(old, new)


def test_a_changed_space_takes_the_place_of_the_old_which_is_kept(changed, run_folder):
    plan = changed("0.5, 5.0", "0.1, 0.3")
    assert (run_folder / "space.py").read_text() == SPACE
    record_resume(plan, ["--resume", "x"])
    assert (run_folder / "space.py").read_text() == plan.space.source
    assert (run_folder / "space-1.py").read_text() == SPACE
    assert read_record(run_folder)["resumed"][0]["space_until_then"] == "space-1.py"
    record_resume(changed("0.5, 5.0", "0.2, 0.3"), ["--resume", "x"])
    assert (run_folder / "space-2.py").read_text() == plan.space.source


def test_a_search_goes_on_with_what_a_changed_space_suggests(changed, run_folder):
    plan = changed("0.5, 5.0", "6.0, 9.0")
    study = open_study(plan, run_folder)
    suggested = [study.ask().config for _ in range(3)]
    assert all(6.0 <= config["gradient_clip"] <= 9.0 for config in suggested)
    assert [trial.state for trial in study.trials[:3]] == [TrialState.COMPLETE] * 3


def test_a_space_with_the_same_text_changes_nothing(changed, run_folder):
    plan = changed("0.5, 5.0", "0.5, 5.0")
    assert plan.notes == ()
    record_resume(plan, ["--resume", "x"])
    assert not (run_folder / "space-1.py").exists()
    assert "space_until_then" not in read_record(run_folder)["resumed"][0]


def test_a_changed_file_means_nothing_to_a_search_that_is_not_given_it(run_folder, tmp_path):
    (tmp_path / "tiny.py").write_text("1 / 0")
    plan = make_plan(parse_arguments(["--resume", str(run_folder)]))
    assert plan.space.source == SPACE


def test_a_changed_space_that_does_not_work_is_refused(changed):
    with pytest.raises(ConfigError, match=r"new\.py:6: expected space\(trial\) to suggest"):
        changed("1e-3, 1e-1", "1e-3, -1")

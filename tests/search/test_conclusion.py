"""The end of a search none of whose trials has a value."""

import pytest
from rich.console import Console

from search.arguments import parse_arguments
from search.conclusion import conclude
from search.open_study import open_study
from search.plan import make_plan
from search.run_record import create_run_folder
from trainable.errors import SearchError


@pytest.fixture
def plan(space_file, coloured_folder, cache_dir, tmp_path):
    options = {"space": space_file, "data": coloured_folder, "cache-dir": cache_dir}
    options |= {"runs-dir": tmp_path / "runs", "name": "mine"}
    argv = [text for name, value in options.items() for text in (f"--{name}", str(value))]
    plan = make_plan(parse_arguments(argv))
    create_run_folder(plan, argv)
    return plan


def ended_without_values(plan, reasons):
    """Return what is said of a search whose trials have failed for some reasons."""
    study = open_study(plan, plan.run_folder)
    for reason in reasons:
        study.fail(study.ask().number, reason=reason)
    study.close()
    with pytest.raises(SearchError) as raised:
        conclude(plan, Console(quiet=True))
    return str(raised.value)


def test_the_reasons_are_told_where_every_trial_failed(plan):
    said = ended_without_values(plan, ["disk: gone", "loss: got nan in 3", "loss: got nan in 7"])
    assert said == (
        f"{plan.run_folder}: no trial has a value (3 failed). 0001, 0002: loss: got nan in 7. "
        "0000: disk: gone."
    )


def test_a_search_without_trials_says_so(plan):
    said = ended_without_values(plan, [])
    assert said == f"{plan.run_folder}: no trial has a value (none was begun)."

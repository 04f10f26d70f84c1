"""The first lines of a search, and the defaults that its record keeps."""

import json

import pytest

from search.arguments import parse_arguments
from search.defaults import changed_since, current_defaults, described
from search.opening import opening_lines
from search.plan import make_plan
from search.run_record import DEFAULTS_CHANGED, create_run_folder, read_record


@pytest.fixture
def given(space_file, coloured_folder, cache_dir, tmp_path):
    """Return a function that reads the options of a search, those of its place included."""

    def parse(name: str, *options: str):
        places = ("--runs-dir", tmp_path / "runs", "--cache-dir", cache_dir, "--name", name)
        what = ("--space", space_file, "--data", coloured_folder)
        return parse_arguments([str(text) for text in (*what, *places, *options)])

    return parse


def test_what_was_not_given_is_said_with_its_origin(given):
    options = given("a", "--trials", "2", "--time-budget", "2h", "--sampler", "random")
    lines = list(opening_lines(make_plan(options), options.values))
    assert lines[0].endswith("57 train, 15 val, 18 test images of 3 classes")
    assert lines[1:] == [
        "Search:  the highest val/f1 (default), suggested by random, seed 0 (default)",
        "Trials:  2 of at most 3 (space) epochs, 2 h 00 min; 2 at a time with 1 CPU each",
        "Stopped: by asha (default), not before epoch 1 (space), one in 3 (default) goes on",
    ]


def test_a_search_without_early_stopping_says_so(given):
    options = given("a", "--scheduler", "none")
    assert list(opening_lines(make_plan(options), options.values))[-1] == (
        "Stopped: none before its end, none"
    )


def test_a_record_says_which_defaults_have_changed_since_the_last_run(given):
    first = create_run_folder(make_plan(given("a")), [])
    kept = read_record(first)["defaults"]
    assert kept["options"]["grace_period"] == 2
    assert kept["hyperparameters"]["loss/focal/gamma"] == 2.0
    assert kept["hyperparameters"]["optimizer"] == "adamw"
    assert kept["space"] == {"trials": 4, "max_epochs": 3, "grace_period": 1}
    assert read_record(first)[DEFAULTS_CHANGED] == {}

    now = current_defaults()
    now["hyperparameters"]["loss/focal/gamma"] = 1.5
    now["options"]["new"] = True
    since = changed_since(first.parent, now)
    assert since == {
        "since": "a",
        "changed": {
            "new": {"was": None, "is": True},
            "loss/focal/gamma": {"was": 2.0, "is": 1.5},
        },
    }
    (line,) = described(since)
    assert line.endswith("others than in a: new None → True, loss/focal/gamma 2.0 → 1.5")


def test_damaged_records_and_those_of_earlier_versions_do_not_matter(given):
    folder = create_run_folder(make_plan(given("a")), [])
    for name, text in {"b": "{", "c": "[]", "d": json.dumps({"started_at": "9999"})}.items():
        (folder.parent / name).mkdir()
        (folder.parent / name / "run.json").write_text(text)
    assert changed_since(folder.parent, current_defaults()) == {"since": "a", "changed": {}}

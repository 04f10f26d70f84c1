import json
import multiprocessing
import subprocess
from datetime import datetime

import optuna
import pytest
from optuna.trial import TrialState, create_trial

from search.arguments import parse_arguments
from search.plan import make_plan
from search.run_record import (
    create_run_folder,
    git_commit,
    has_uncommitted_changes,
    locked,
    read_record,
    record_resume,
    recorded_options,
)
from trainable.data.prepared import read_data
from trainable.errors import ConfigError

ARGV = ["--space", "my space.py"]


@pytest.fixture
def plan(space_file, coloured_folder, cache_dir, tmp_path):
    options = [
        "--space",
        space_file,
        "--data",
        coloured_folder,
        "--name",
        "mine",
        "--set",
        "ema=0.9",
    ]
    places = ["--runs-dir", tmp_path / "runs", "--cache-dir", cache_dir]
    return make_plan(parse_arguments([str(text) for text in (*options, *places)]))


def test_a_run_folder_has_the_record_the_space_and_the_split(plan):
    folder = create_run_folder(plan, ARGV)
    assert {path.name for path in folder.iterdir()} == {
        "run.json",
        "space.py",
        "split.csv",
        "study.db",
        "trials",
    }
    assert (folder / "space.py").read_text() == plan.space.source
    assert read_data(folder).index.table.equals(plan.data.index.table)


def test_the_record_says_what_was_searched_with_what_and_when(plan):
    record = read_record(create_run_folder(plan, ARGV))
    assert record["options"]["pins"] == {"ema": 0.9}
    assert (record["metric"], record["mode"], record["seed"]) == ("val/f1", "max", 0)
    assert record["command"] == "python -m search.run --space 'my space.py'"
    assert datetime.fromisoformat(record["started_at"]).utcoffset().total_seconds() == 0
    assert {"python", "ray", "optuna", "torch", "timm"} <= record["versions"].keys()
    assert record["hardware"]["cpus"] >= 1
    assert record["git_dirty"] in (True, False, None)
    assert record["resources"]["cpus_per_trial"] == 1
    assert record["data"]["classes"] == ["blue", "green", "red"]


def test_a_folder_that_has_appeared_meanwhile_is_left_as_it_is(plan):
    plan.run_folder.mkdir(parents=True)
    (plan.run_folder / "theirs").touch()
    with pytest.raises(ConfigError, match="mine: expected a folder that can be made, got"):
        create_run_folder(plan, ARGV)
    assert [path.name for path in plan.run_folder.iterdir()] == ["theirs"]
    assert [path.name for path in plan.run_folder.parent.iterdir()] == ["mine"]


def test_a_search_that_goes_on_has_its_options_from_the_record(plan):
    folder = create_run_folder(plan, ARGV)
    again = make_plan(parse_arguments(["--resume", str(folder), "--trials", "9"]))
    assert again.resumes
    assert again.options == plan.options.model_copy(update={"trials": 9})
    assert again.data.index.table.equals(plan.data.index.table)


def test_a_moved_run_folder_goes_on_where_it_is(plan, tmp_path):
    folder = create_run_folder(plan, ARGV).rename(tmp_path / "moved")
    again = make_plan(parse_arguments(["--resume", str(folder)]))
    assert again.run_folder == folder


def test_going_on_is_recorded(plan):
    folder = create_run_folder(plan, ARGV)
    again = make_plan(parse_arguments(["--resume", str(folder), "--trials", "9"]))
    record_resume(again, ["--resume", "x"])
    record = read_record(folder)
    assert record["options"]["trials"] == 9
    assert [entry["command"] for entry in record["resumed"]] == ["python -m search.run --resume x"]


def test_a_folder_that_is_no_run_folder_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"expected a run folder with run\.json, got a folder w"):
        read_record(tmp_path)
    with pytest.raises(ConfigError, match=r"expected a run folder with run\.json, got no such fo"):
        read_record(tmp_path / "nowhere")


def test_a_damaged_record_is_refused(tmp_path):
    (tmp_path / "run.json").write_text('{"options": ')
    with pytest.raises(ConfigError, match=r"run\.json: expected the record of a search, got Exp"):
        read_record(tmp_path)


@pytest.mark.parametrize("text", ["[]", "{}", '{"options": 7}', "\udcff"])
def test_a_record_without_options_is_refused(tmp_path, text):
    (tmp_path / "run.json").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(ConfigError, match=r"run\.json: expected the record of a search, .*got"):
        recorded_options(tmp_path, {})


def test_wrong_options_of_a_record_are_a_line_each(tmp_path):
    options = {"space": "s.py", "name": "a", "trials": "many", "colour": "red"}
    (tmp_path / "run.json").write_text(json.dumps({"options": options}))
    with pytest.raises(ConfigError) as error:
        recorded_options(tmp_path, {"seed": 1})
    said = [problem.removeprefix(f"{tmp_path}/") for problem in error.value.problems]
    assert said == [
        "run.json: options/trials: expected a valid integer, got 'many'.",
        "run.json: options/cache_dir: expected a value, got none.",
        "run.json: options/colour: expected no such option, got 'red'.",
    ]


def test_a_run_folder_that_cannot_be_locked_is_refused(tmp_path):
    (tmp_path / ".lock").mkdir()
    what = "expected a folder that can be written to, got 'Is a directory'"
    with pytest.raises(ConfigError, match=what), locked(tmp_path):
        pass


def _lock(folder, results):
    try:
        with locked(folder):
            results.put("locked")
    except ConfigError as error:
        results.put(str(error))


def test_a_second_process_is_refused(tmp_path):
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    with locked(tmp_path):
        process = context.Process(target=_lock, args=(tmp_path, results))
        process.start()
        assert "got one that another process is running" in results.get(timeout=300)
        process.join()
    with locked(tmp_path):
        pass


def test_the_record_is_plain_json(plan):
    text = (create_run_folder(plan, ARGV) / "run.json").read_text()
    assert json.loads(text)["options"]["time_budget_s"] is None


def test_a_resumption_says_who_goes_on_with_which_code_and_from_which_trial(plan):
    folder = create_run_folder(plan, ARGV)
    begun = create_trial(state=TrialState.FAIL, value=None)
    waiting = create_trial(state=TrialState.WAITING, value=None)
    study = optuna.load_study(study_name="search", storage=f"sqlite:///{folder / 'study.db'}")
    study.add_trials([begun, begun, waiting])
    record_resume(plan, ["--resume", "mine"])
    (entry,) = read_record(folder)["resumed"]
    assert entry["first_trial"] == 2
    assert {"user", "git_commit", "git_dirty", "hardware", "versions"} <= entry.keys()


def test_uncommitted_changes_are_noted_of_files_that_git_follows(tmp_path, monkeypatch):
    def git(*arguments):
        who = ["-c", "user.name=a", "-c", "user.email=a@b"]
        subprocess.run(["git", *who, *arguments], cwd=tmp_path, check=True, capture_output=True)

    monkeypatch.chdir(tmp_path)
    assert git_commit() is None
    assert has_uncommitted_changes() is None
    git("init")
    (tmp_path / "code.py").write_text("1")
    git("add", ".")
    git("commit", "-m", "first")
    (tmp_path / "notes.txt").write_text("not followed")
    assert has_uncommitted_changes() is False
    (tmp_path / "code.py").write_text("2")
    assert has_uncommitted_changes() is True

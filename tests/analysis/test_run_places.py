import os
import shutil

import pytest

from analysis.leaderboard import main
from analysis.run_places import find_runs
from trainable.errors import ConfigError

TRIALS = [{"state": "complete", "curve": [0.5]}]


def names(*places, **options):
    return [run.name for run in find_runs([*map(str, places)], **options).runs]


def test_a_folder_stands_for_the_run_folders_below_it_named_by_their_paths(make_run, tmp_path):
    for name in ("quick", "bob/deep/er/quick", "ann/quick"):
        make_run(name, TRIALS)
    assert names(tmp_path) == ["ann/quick", "bob/deep/er/quick", "quick"]
    assert names(tmp_path / "ann" / "quick") == ["quick"]


def test_hidden_folders_and_the_inside_of_run_folders_are_not_looked_into(make_run, tmp_path):
    make_run("runs/a", TRIALS)
    for name in ("runs/.half-written", "runs/a/ensemble", "runs/trials/x"):
        make_run(name, TRIALS)
    assert names(tmp_path / "runs") == ["a"]


def test_links_to_run_folders_are_followed_and_circles_are_not(make_run, tmp_path):
    run = make_run("elsewhere/a", TRIALS)
    team = tmp_path / "team"
    team.mkdir()
    (team / "linked").symlink_to(run)
    (team / "circle").symlink_to(team)
    assert names(team) == ["linked"]


def test_a_run_below_a_folder_that_is_named_itself_too_counts_once(make_run, tmp_path):
    run = make_run("runs/a", TRIALS)
    make_run("runs/b", TRIALS)
    assert names(tmp_path / "runs", run, tmp_path) == ["b", "a"]


def test_damaged_runs_below_a_folder_are_named_and_left_out(make_run, tmp_path, capsys):
    make_run("runs/a", TRIALS)
    for name in ("no-study", "bad-study", "bad-curve", "bad-record"):
        make_run(f"runs/{name}", TRIALS)
    (tmp_path / "runs/no-study/study.db").unlink()
    (tmp_path / "runs/bad-study/study.db").write_text("no database " * 100)
    (tmp_path / "runs/bad-curve/trials/0000/metrics.csv").write_text("")
    (tmp_path / "runs/bad-record/run.json").write_text("[]")
    assert main([str(tmp_path / "runs")]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(":")[1].removeprefix(f" {tmp_path}/runs/") for line in lines] == [
        "bad-curve/trials/0000/metrics.csv",
        "bad-record/run.json",
        "bad-study/study.db",
        "no-study/study.db",
    ]
    assert all(line.startswith("Left out: ") for line in lines)


def test_a_damaged_run_that_was_named_itself_is_an_error(make_run, tmp_path):
    make_run("runs/a", TRIALS)
    broken = make_run("runs/b", TRIALS)
    (broken / "run.json").write_text("[]")
    with pytest.raises(ConfigError, match=r"b/run\.json: expected what search\.run writes"):
        find_runs([str(tmp_path / "runs"), str(broken)])


def test_where_nothing_is_left_every_reason_is_an_error_of_its_own(make_run, tmp_path, capsys):
    for name in "ab":
        (make_run(f"runs/{name}", TRIALS) / "run.json").write_text("[]")
    assert main([str(tmp_path / "runs"), "--csv", str(tmp_path / "x.csv")]) == 2
    captured = capsys.readouterr()
    assert len(captured.err.splitlines()) == 2
    assert captured.out == ""
    assert not (tmp_path / "x.csv").exists()


def test_a_folder_without_runs_and_a_missing_one_are_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(
        ConfigError, match=r"empty: expected a run folder, or one with .* got none"
    ):
        find_runs([str(tmp_path / "empty")])
    with pytest.raises(ConfigError, match="missing: expected a run folder, got no such folder"):
        find_runs([str(tmp_path / "missing")])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every folder")
def test_a_folder_that_may_not_be_read_is_named(make_run, tmp_path):
    make_run("runs/a", TRIALS)
    closed = tmp_path / "runs" / "closed"
    closed.mkdir(mode=0)
    assert "closed: expected a folder that can be read" in find_runs([str(tmp_path)]).problems[0]


def test_runs_below_a_folder_without_finished_trials_can_be_left_out(make_run, tmp_path):
    make_run("runs/a", TRIALS)
    begun = make_run("runs/b", [{"state": "running", "curve": [0.5]}])
    assert names(tmp_path / "runs") == ["a", "b"]
    found = find_runs([str(tmp_path / "runs")], finished=True)
    assert [run.name for run in found.runs] == ["a"]
    assert found.problems == (f"Left out: {begun}: expected a finished trial, got none yet.",)


def test_nothing_is_written_into_the_runs(make_run, tmp_path):
    run = make_run("runs/a", TRIALS)
    before = shutil.copytree(run, tmp_path / "before")
    assert main([str(tmp_path / "runs")]) == 0
    assert sorted(p.name for p in run.rglob("*")) == sorted(p.name for p in before.rglob("*"))

import json
import os

import pandas as pd
import pytest
from rich.console import Console

from analysis.leaderboard import main, print_leaderboard, write_leaderboard
from analysis.leaderboard_view import fitting_columns, markdown_table, shown_texts
from analysis.ranking import ranking_table
from analysis.run_folder import RunFolder

TRIALS = [
    {
        "state": "complete",
        "curve": [0.1, 0.5, 0.4],
        "reason": "patience",
        "config": {"optimizer/lr": 0.012345, "loss/name": "focal", "loss/gamma": 2.0, "seed": 1},
    },
    {
        "state": "pruned",
        "curve": [0.3],
        "reason": "asha",
        "config": {"optimizer/lr": 0.1, "loss/name": "cross_entropy", "seed": 1},
    },
    {
        "state": "failed",
        "reason": "RuntimeError: out of\nmemory",
        "config": {"optimizer/lr": 0.1, "loss/name": "f1", "seed": 1},
    },
]


@pytest.fixture
def run(make_run):
    return make_run("quick", TRIALS)


def texts_of(path):
    return shown_texts(ranking_table([RunFolder(path)]), "val/f1")


def printed(path, *, width, top=20):
    console = Console(width=width)
    with console.capture() as capture:
        print_leaderboard(console, [RunFolder(path)], top=top)
    return capture.get()


def test_only_hyperparameters_that_differ_are_shown_those_of_some_trials_last(run):
    texts = texts_of(run)
    assert list(texts)[-3:] == ["lr", "loss", "gamma"]
    assert list(texts["lr"]) == ["0.012", "0.1", "0.1"]
    assert list(texts["gamma"]) == ["2", "", ""]


def test_a_state_carries_its_reason_unless_it_is_the_usual_one(run):
    assert list(texts_of(run)["state"]) == ["complete, patience", "pruned", "failed"]


def test_the_epoch_that_counts_is_shown_with_the_number_trained(run):
    assert list(texts_of(run)["epoch"]) == ["2/3", "1/1", ""]


def test_the_run_is_shown_only_among_several(make_run, run):
    assert "run" not in texts_of(run)
    runs = [RunFolder(run), RunFolder(make_run("other", TRIALS))]
    assert "run" in shown_texts(ranking_table(runs), "val/f1")


def test_who_began_trials_is_shown_where_it_differs_and_always_written(
    make_run, tmp_path, capsys, monkeypatch
):
    monkeypatch.setenv("COLUMNS", "160")
    ann = {"user": "ann", "started_at": "2026-01-31T10:00:00+00:00", "git_commit": "c0ffee0" * 5}
    bob = ann | {"user": "bob", "git_dirty": True}
    make_run("runs/ann/quick", TRIALS, **ann, hardware={"host": "gpu7"})
    make_run("runs/bob/quick", TRIALS, **bob, hardware={"host": "gpu7"})
    csv = tmp_path / "all.csv"
    assert main([str(tmp_path / "runs"), "--csv", str(csv)]) == 0
    header, _, first, *_ = capsys.readouterr().out.splitlines()
    shown = ["#", "run", "trial", "state", "val/f1", "accuracy", "epoch", "seconds"]
    assert header.split()[:10] == [*shown, "user", "commit"]
    assert first.split()[1] == "ann/quick"
    table = pd.read_csv(csv)
    assert list(table["user"])[:2] == ["ann", "bob"]
    assert list(table["commit"])[:2] == ["c0ffee0", "c0ffee0+"]
    assert set(table["host"]) == {"gpu7"}
    assert set(table["started"]) == {"2026-01-31T10:00:00+00:00"}


def test_the_table_follows_metric_and_at_in_every_form(run, tmp_path, capsys):
    options = [f"--{kind}={tmp_path / kind}" for kind in ("csv", "json", "markdown")]
    assert main([str(run), "--metric", "val/accuracy", "--at", "last", *options]) == 0
    assert "Ranked by val/accuracy, higher is better, at the last" in capsys.readouterr().out
    assert list(pd.read_csv(tmp_path / "csv")["value"].dropna()) == pytest.approx([0.41, 0.31])
    content = json.loads((tmp_path / "json").read_text())
    assert (content["metric"], content["at"]) == ("val/accuracy", "last")
    assert content["notes"][0].startswith("Ranked by val/accuracy")
    assert "| val/accuracy |" in (tmp_path / "markdown").read_text()


def test_the_metric_ranked_by_is_named_whole(make_run, capsys):
    trials = [{"state": "complete", "curve": [0.5], "others": {"val/class_f1/x": [0.25]}}]
    assert main([str(make_run("run", trials)), "--metric", "val/class_f1/x"]) == 0
    assert "val/class_f1/x" in capsys.readouterr().out.splitlines()[0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "RUN: expected a value, got nothing."),
        (["RUN", "--at", "first"], "--at: expected a known value, got 'first'. Known: best, last"),
        (["RUN", "--metric", "val/f2"], "--metric: expected a recorded metric, got 'val/f2'. Did"),
    ],
)
def test_wrong_arguments_are_one_line(run, capsys, options, message):
    assert main([text.replace("RUN", str(run)) for text in options]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(message)
    assert len(captured.err.splitlines()) == 1


@pytest.mark.parametrize("width", [60, 100, 200])
def test_columns_are_left_out_that_do_not_fit_the_terminal(make_run, width):
    config = {f"schedule/number_{i}": 0 for i in range(20)}
    trials = [{"state": "running", "config": dict.fromkeys(config, i)} for i in range(2)]
    run = make_run("wide", trials)
    lines = printed(run, width=width).splitlines()
    assert max(map(len, lines)) <= width
    assert len(fitting_columns(texts_of(run), 200)) > len(fitting_columns(texts_of(run), 100))


def test_what_is_not_shown_is_said(run):
    assert "Not shown: gamma" in printed(run, width=84)
    assert "Not shown" not in printed(run, width=100)


def test_failures_and_the_best_configuration_are_listed_below(run):
    lines = printed(run, width=100).splitlines()
    assert "Failed, quick 0002: RuntimeError: out of memory" in lines
    best = "Best, quick 0000: optimizer/lr=0.01235 loss/name=focal loss/gamma=2 seed=1"
    assert best in lines
    assert "3 trials: 1 complete, 1 pruned, 1 failed." in lines


def test_of_many_failures_the_first_are_listed(make_run):
    trials = [{"state": "failed", "reason": f"reason {i}"} for i in "abcdefgh"]
    text = printed(make_run("failing", trials), width=100)
    assert text.count("Failed,") == 5
    assert "… and 3 more failed." in text


def test_failures_of_one_kind_are_one_line_with_what_they_have_in_common(make_run):
    nan = "train/loss: expected a finite number, got nan in epoch"
    trials = [
        {"state": "failed", "reason": f"{nan} {i}.", "config": {"optimizer/name": "sgd"}}
        for i in range(6)
    ]
    succeeded = {"state": "complete", "curve": [0.5], "config": {"optimizer/name": "adamw"}}
    trials += [succeeded] * 6
    lines = printed(make_run("failing", trials), width=200).splitlines()
    assert f"Failed, failing 0000, 0001, 0002, 0003, 0004 and 1 more: {nan} 5." in lines
    trait = "optimizer/name=sgd (6 of 6 failed, of the others 0 of 6)"
    assert f"Common to failed trials: {trait}" in lines


def test_top_limits_the_rows_and_says_so(run):
    text = printed(run, width=100, top=1)
    assert "0000" in text
    assert "pruned  " not in text
    assert "Shown are 1: --top N shows more." in text


def test_a_run_without_trials_says_so(make_run, capsys):
    assert main([str(make_run("empty", []))]) == 0
    assert capsys.readouterr().out == "No trials yet.\n"


def test_the_leaderboard_of_a_run_is_written_into_its_folder(run):
    path = write_leaderboard(RunFolder(run))
    table = pd.read_csv(path)
    assert path == run / "leaderboard.csv"
    assert list(table["trial"]) == [0, 1, 2]
    assert {"rank", "value", "accuracy", "config/loss/gamma"} <= set(table)


def test_csv_json_and_markdown_are_written(run, tmp_path, capsys):
    options = [f"--{kind}={tmp_path / kind}" for kind in ("csv", "json", "markdown")]
    assert main([str(run), "--top", "2", *options]) == 0
    assert len(pd.read_csv(tmp_path / "csv")) == 3
    content = json.loads((tmp_path / "json").read_text())
    assert [trial["rank"] for trial in content["trials"]] == [1, 2, None]
    assert content["trials"][1]["config/loss/gamma"] is None
    rows = [line for line in (tmp_path / "markdown").read_text().splitlines() if "|" in line]
    assert len(rows) == 4
    assert rows[2].startswith("| 1 | 0000 | complete, patience | 0.5000 |")


def test_a_bar_in_a_text_does_not_break_markdown():
    assert markdown_table(pd.DataFrame({"a": ["x|y"]})).endswith("| x\\|y |")


def test_nothing_is_printed_when_an_output_folder_is_missing(run, tmp_path, capsys):
    assert main([str(run), "--csv", str(tmp_path / "missing" / "x.csv")]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "missing/x.csv: expected a file in a folder that exists, got no such" in captured.err


def test_a_wrong_run_is_one_line_and_exit_code_2(tmp_path, capsys):
    assert main([str(tmp_path)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_piped_output_is_a_hundred_columns_wide(run, capsys, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    assert main([str(run)]) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 100
    assert "COLUMNS" not in os.environ

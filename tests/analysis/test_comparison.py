import json

import pandas as pd
import pytest

from analysis.comparison import Subject, compare, differences_table
from analysis.leaderboard import main
from analysis.run_folder import RunFolder

TRIALS = [
    {
        "state": "complete",
        "curve": [0.1, 0.5],
        "reason": "epochs",
        "config": {"optimizer/lr": 0.1, "loss/name": "focal", "loss/gamma": 2.0, "seed": 0},
        "others": {"val/class_f1/x": [0.1, 0.2]},
    },
    {
        "state": "pruned",
        "curve": [0.3],
        "reason": "asha",
        "config": {"optimizer/lr": 0.2, "loss/name": "focal", "seed": 0},
        "others": {"val/class_f1/x": [0.3]},
    },
]
WRITTEN = [{"loss": {"gamma": 2.0}}, {"loss": {"gamma": 3.0}, "precision": "fp32"}]
RECORD = {
    "options": {"name": "a", "runs_dir": "runs", "trials": 9, "keep_checkpoints": 10, "pins": {}},
    "versions": {"torch": "2.13.0", "ray": "2.60.0"},
    "git_commit": "0123456789",
    "hardware": {"host": "gpu7", "gpus": ["H100"]},
    "user": "ann",
    "started_at": "2026-01-31T10:00:00+00:00",
}


def with_configs(path):
    for number, config in enumerate(WRITTEN):
        RunFolder(path).trial_folder(number).write_config(config)
    return path


@pytest.fixture
def run(make_run):
    return with_configs(make_run("runs/a", TRIALS, **RECORD))


@pytest.fixture
def other(make_run):
    """Return a run of the same trials that a later version of the code ran."""
    options = {**RECORD["options"], "name": "b", "keep_checkpoints": 5, "new_option": True}
    changes = {"options": options, "versions": {"torch": "2.14.0", "ray": "2.60.0"}, "user": "bob"}
    return with_configs(make_run("runs/b", TRIALS, **RECORD | changes))


def rows_of(table):
    return {(row.kind, row.name_): (row.a, row.b) for row in _renamed(table)}


def _renamed(table):
    return table.rename(columns={"name": "name_"}).itertuples(index=False)


def test_of_two_trials_all_that_differs_is_listed_and_defaults_are_marked(run):
    trials = RunFolder(run)
    table = differences_table(Subject(trials, 0), Subject(trials, 1))
    assert rows_of(table) == {
        ("hyperparameter", "optimizer/lr"): (0.1, 0.2),
        ("hyperparameter", "loss/gamma"): (2.0, 3.0),
        ("hyperparameter", "precision"): (None, "fp32"),
        ("result", "state"): ("complete", "pruned"),
        ("result", "reason"): ("epochs", "asha"),
        ("result", "epochs"): (2, 1),
        ("result", "seconds"): (4.0, 2.0),
        ("result", "value_epoch"): (2, 1),
        ("metric", "val/f1"): (0.5, 0.3),
        ("metric", "val/accuracy"): (0.51, 0.31),
        ("metric", "val/class_f1/x"): (0.2, 0.3),
    }
    gamma = table[table["name"] == "loss/gamma"].iloc[0]
    assert (gamma["a_is_default"], gamma["b_is_default"]) == (False, True)


def test_of_two_trials_of_different_runs_what_they_ran_with_is_compared_too(run, other):
    table = differences_table(Subject(RunFolder(run), 0), Subject(RunFolder(other), 0))
    assert rows_of(table) == {
        ("run", "user"): ("ann", "bob"),
        ("version", "torch"): ("2.13.0", "2.14.0"),
    }


def test_of_two_runs_options_defaults_results_and_versions_are_compared(run, other):
    RunFolder(other).trial_folder(0).write_config({"loss": {"gamma": 2.0}, "precision": "bf16"})
    RunFolder(other).trial_folder(1).write_config({"loss": {"gamma": 2.5}, "precision": "bf16"})
    table = differences_table(Subject(RunFolder(run)), Subject(RunFolder(other)))
    assert rows_of(table) == {
        ("option", "keep_checkpoints"): (10, 5),
        ("option", "new_option"): (None, True),
        ("default", "loss/gamma (focal)"): ("3.0", "2.5"),
        ("default", "precision"): ("fp32", "bf16"),
        ("run", "user"): ("ann", "bob"),
        ("version", "torch"): ("2.13.0", "2.14.0"),
    }


def test_of_two_runs_data_and_split_are_compared(make_run):
    trials = [{"state": "complete", "curve": [0.5]}]
    one = Subject(RunFolder(make_run("one", trials)))
    split = "path,label,person,part\na.png,x,1,val\nb.png,y,2,train\n"
    other = Subject(RunFolder(make_run("other", trials, split=split)))
    assert rows_of(differences_table(one, other)) == {("data", "split"): ("one", "another one")}
    images = Subject(RunFolder(make_run("images", trials, fingerprint="fedc")))
    changed = rows_of(differences_table(one, images))
    assert changed == {("data", "fingerprint"): ("0123456789abcdef", "fedc")}


def test_spaces_are_compared_line_by_line(run, other):
    (run / "space.py").write_text("one\ntwo\nthree\nfour\n")
    (other / "space.py").write_text("one\ntwo\nthree\n4\n")
    space = compare(Subject(RunFolder(run)), Subject(RunFolder(other))).space
    assert space == (
        f"--- {run}/space.py",
        f"+++ {other}/space.py",
        "@@ -3,2 +3,2 @@",
        " three",
        "-four",
        "+4",
    )


def test_trials_are_named_by_number_or_by_folder_and_runs_by_folder(run, other, capsys):
    assert main([str(run), "--compare", "0", "1"]) == 0
    by_number = capsys.readouterr().out
    assert main(["--compare", f"{run}/trials/0000", f"{run}/trials/0001/"]) == 0
    assert capsys.readouterr().out == by_number
    assert main(["--compare", str(run), str(other)]) == 0
    assert "keep_checkpoints" in capsys.readouterr().out


def test_what_is_shown_says_what_is_a_default_and_what_is_left_out(run, capsys):
    assert main([str(run), "--compare", "0", "1"]) == 0
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert any(line.split() == ["loss/gamma", "2", "3", "(default)"] for line in lines)
    assert lines[-1] == "F1 of 1 classes differs, too: --csv and --json have them."


@pytest.mark.parametrize("width", [80, 100, 160])
def test_long_values_are_folded_not_cut(make_run, monkeypatch, capsys, width):
    trials = [{"state": "running", "config": {"backbone/name": i * 120}} for i in "ab"]
    monkeypatch.setenv("COLUMNS", str(width))
    assert main([str(make_run("run", trials)), "--compare", "0", "1"]) == 0
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= width
    assert text.count("b") >= 120


def test_two_equal_things_differ_in_nothing(run, capsys):
    assert main([str(run), "--compare", "1", "1"]) == 0
    assert capsys.readouterr().out == "a 0001 and a 0001: Nothing differs.\n"


def test_that_no_hyperparameter_differs_is_said(make_run, capsys):
    trials = [{"state": "complete", "curve": [value]} for value in (0.1, 0.2)]
    assert main([str(make_run("run", trials)), "--compare", "0", "1"]) == 0
    assert capsys.readouterr().out.endswith("No hyperparameter differs.\n")


def test_csv_json_and_markdown_have_what_differs(run, other, tmp_path):
    (run / "space.py").write_text("one\n")
    files = {kind: tmp_path / kind for kind in ("csv", "json", "markdown")}
    options = [f"--{kind}={file}" for kind, file in files.items()]
    assert main(["--compare", str(run), str(other), *options]) == 0
    assert list(pd.read_csv(files["csv"])["kind"]) == ["option", "option", "run", "version"]
    content = json.loads(files["json"].read_text())
    assert content["differences"][1]["a"] is None
    assert content["space"][-1] == "-one"
    text = files["markdown"].read_text()
    assert "| option | keep_checkpoints | 10 | 5 |" in text
    assert "```diff\n--- " in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["RUN", "--compare", "0", "9"], "--compare: expected a trial of RUN, got 9. Known: 0 to"),
        (["--compare", "0", "1"], "--compare: expected one run that 0 is of, got none. Give RUN"),
        (["--compare", "RUN", "RUN/trials/0001"], "--compare: expected two trials or two runs, g"),
        (["--compare", "RUN/trials/0001", "no/trials/0001"], "no: expected a run folder, got no"),
        (["RUN", "--compare", "0"], "--compare: expected 2 arguments"),
        (["RUN", "--compare", "0", "1", "--at", "last"], "--compare: expected neither --metric"),
    ],
)
def test_what_cannot_be_compared_is_one_line(run, capsys, arguments, message):
    assert main([text.replace("RUN", str(run)) for text in arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(message.replace("of RUN", f"of {run}"))
    assert len(captured.err.splitlines()) == 1

from pathlib import Path

import pytest

from search.run import main


@pytest.fixture
def refused(space_file, coloured_folder, cache_dir, tmp_path, monkeypatch, capsys):
    """Run the command in an empty folder; return its lines on stderr and what it has written."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def run(**options) -> tuple[list[str], list[Path]]:
        known = {"space": space_file, "data": coloured_folder, "cache-dir": cache_dir}
        pairs = ((f"--{name}", str(value)) for name, value in (known | options).items())
        assert main([text for pair in pairs for text in pair]) == 2
        return capsys.readouterr().err.splitlines(), list(folder.iterdir())

    return run


def table(tmp_path, text: str) -> Path:
    path = tmp_path / "table.csv"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("options", "start"),
    [
        ({"trails": 3}, "--trails: expected a known option"),
        ({"space": "nowhere.py"}, "nowhere.py: expected a space file, got no such file"),
        ({"data": "nowhere"}, "data: expected"),
        ({"metric": "val/f2"}, "--metric: expected a metric of the validation part"),
        ({"set": "loss/gama=2"}, "--set loss/gama: expected a hyperparameter"),
        ({"set": "optimizer/lr=-1"}, "optimizer/lr: expected"),
        ({"set": "backbone/name=resnet19"}, "backbone/name: expected a timm model"),
        ({"cpus-per-trial": 5000}, "--cpus-per-trial: expected at most"),
        ({"gpus-per-trial": 5000}, "--gpus-per-trial: expected at most"),
        ({"runs-dir": "/proc/runs"}, "--runs-dir: expected a folder that can be written to"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(refused, options, start):
    lines, written = refused(**options)
    assert len(lines) == 1
    assert lines[0].startswith(start)
    assert written == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("path\na.png\n", "label"),
        ("path,label\nnone.png,a\n", "none.png"),
    ],
)
def test_a_bad_table_is_one_line_and_nothing_is_written(refused, tmp_path, text, expected):
    lines, written = refused(data=table(tmp_path, text))
    assert len(lines) == 1
    assert expected in lines[0]
    assert written == []


@pytest.mark.parametrize("body", ["1 / 0", "trial.suggest_int('batch_size', 0, 0)"])
def test_a_bad_space_is_one_line_and_nothing_is_written(refused, tmp_path, body):
    path = tmp_path / "bad.py"
    backbone = "trial.suggest_categorical('backbone/name', ['test_efficientnet'])"
    path.write_text(f"def space(trial):\n    {backbone}\n    {body}\n")
    lines, written = refused(space=path)
    assert len(lines) == 1
    assert written == []


def test_without_arguments_the_remedy_is_one_line(capsys):
    assert main([]) == 2
    assert capsys.readouterr().err.count("\n") == 1

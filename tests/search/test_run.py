import shutil
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
        ({"seed": 5000000000}, "--seed: expected a whole number from 0 to"),
        ({"set": "epochs=100.0"}, "--set epochs: expected at most --max-epochs 3, got 100"),
        ({"address": "127.0.0.1:1", "gpus-per-trial": 0}, "--address: expected a running Ray clu"),
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


@pytest.fixture
def images(coloured_folder, tmp_path):
    return Path(shutil.copytree(coloured_folder, tmp_path / "images"))


def test_an_unreadable_image_is_one_line_and_nothing_is_written(refused, images):
    (images / "red" / "3.png").write_bytes(b"no image")
    lines, written = refused(data=images)
    assert len(lines) == 1
    assert lines[0].startswith("data: expected at most 0 unreadable images in")
    assert "red/3.png" in lines[0]
    assert written == []


def test_an_empty_data_folder_is_one_line_and_nothing_is_written(refused, tmp_path):
    (tmp_path / "empty").mkdir()
    lines, written = refused(data=tmp_path / "empty")
    assert len(lines) == 1
    assert lines[0].startswith(f"data {tmp_path / 'empty'}: expected")
    assert written == []


def rows_of(images: Path, people: dict[str, str]) -> str:
    """Return a table of all images: the person given by path or class, else one of their own."""
    rows = []
    for path in sorted(images.rglob("*.png")):
        label = path.parent.name
        person = people.get(f"{label}/{path.name}", people.get(label, path))
        rows.append(f"{path},{label},{person},{'test' if path.stem == '2' else ''}")
    return "\n".join(["path,label,person,part", *rows, ""])


def test_a_class_with_one_person_is_one_line_and_nothing_is_written(refused, images, tmp_path):
    lines, written = refused(data=table(tmp_path, rows_of(images, {"red": "Ann"})))
    assert len(lines) == 1
    assert lines[0].startswith("class 'red': expected at least 2 people (or images), got 1")
    assert written == []


def test_a_person_in_two_given_parts_is_one_line_and_nothing_is_written(refused, images, tmp_path):
    text = rows_of(images, {"red/1.png": "Ann", "red/2.png": "Ann"})
    path = images / "red" / "1.png"
    row = f"{path},red,Ann,"
    lines, written = refused(data=table(tmp_path, text.replace(row, f"{row}train")))
    assert len(lines) == 1
    assert lines[0].startswith("person 'Ann': expected images in one part, got ")
    assert written == []


def test_a_stray_word_is_one_line(capsys):
    assert main(["foo", "--space", "s.py"]) == 2
    assert capsys.readouterr().err.startswith("arguments: expected nothing more, got 'foo'.")


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

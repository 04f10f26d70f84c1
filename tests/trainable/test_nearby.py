from pathlib import Path

import pytest

from trainable.nearby import closest, nearest_path


@pytest.mark.parametrize(
    ("got", "name"),
    [
        ("los/focl", "loss/focal"),
        ("GAMMA", "loss/gamma"),
        ("Loss/Gamma", "loss/gamma"),
        ("ema", "ema"),
        ("zebra", None),
    ],
)
def test_the_closest_name_may_be_the_last_part_of_a_path_in_any_case(got, name):
    known = ["loss/gamma", "ema", "loss/focal"]
    assert closest(got, known) == name


def test_the_nearest_path_is_that_of_the_first_part_that_is_missing(tmp_path):
    (tmp_path / "runs" / "first" / "trials").mkdir(parents=True)
    (tmp_path / "runs" / ".hidden").mkdir()
    found = tmp_path / "runs" / "first"
    assert nearest_path(tmp_path / "runs" / "frist") == f"Did you mean {str(found)!r}?"
    assert nearest_path(tmp_path / "rums" / "first") == f"Did you mean {str(found)!r}?"
    assert nearest_path(tmp_path / "runs" / "hidden") == ""
    assert nearest_path(found) == ""
    assert nearest_path(Path("/no/such/place/at/all")) == ""


def test_only_files_of_the_kind_are_asked_after(tmp_path):
    for name in ("quick.py", "quick.txt"):
        (tmp_path / name).touch()
    question = nearest_path(tmp_path / "quik.py", "*.py")
    assert question == f"Did you mean {str(tmp_path / 'quick.py')!r}?"
    assert "quick.txt" not in nearest_path(tmp_path / "quick.tx", "*.py")

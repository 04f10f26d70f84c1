import cv2
import pytest

from trainable.data.faces.contact_sheet import contact_sheet, main, one_of_each_group
from trainable.data.faces.people import draw_person
from trainable.errors import ConfigError


def test_there_is_one_person_of_each_group():
    people = one_of_each_group(seed=3)
    assert [p.gender for p in people] == ["female", "male"] * 3
    assert [(p.years >= 30) + (p.years >= 60) for p in people] == [0, 0, 1, 1, 2, 2]


def test_a_sheet_has_a_row_a_person():
    people = [draw_person(0, number) for number in range(2)]
    assert contact_sheet(people).shape == (26 + 2 * 156, 908, 3)


def test_the_command_writes_a_picture(tmp_path):
    assert main(["--out", str(tmp_path / "docs" / "faces.jpg")]) == 0
    assert cv2.imread(str(tmp_path / "docs" / "faces.jpg")).shape == (26 + 6 * 156, 908, 3)
    assert (tmp_path / "docs" / "faces.jpg").stat().st_size < 300_000


def test_a_name_that_says_no_format_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="--out: expected a name ending in"):
        main(["--out", str(tmp_path / "faces.txt")])

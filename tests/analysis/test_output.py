from pathlib import Path

import pytest

from analysis.output import check_output, output
from trainable.errors import ConfigError


def test_what_was_there_is_replaced_as_a_whole(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    with output(tmp_path / "a.txt") as aside:
        aside.write_text("new")
        assert (tmp_path / "a.txt").read_text() == "old"
    assert (tmp_path / "a.txt").read_text() == "new"


def test_what_was_there_stays_when_writing_fails(tmp_path):
    def fail():
        with output(tmp_path / "a.txt") as aside:
            aside.write_text("half")
            raise OSError(28, "No space left on device")

    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(ConfigError, match=r"a\.txt: expected a path .*, got No space left on dev"):
        fail()
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


def test_a_missing_folder_is_found_before_anything_is_computed(tmp_path):
    with pytest.raises(ConfigError, match=r"no/a\.txt: expected a file in a folder that exists"):
        check_output(tmp_path / "no" / "a.txt")


def test_a_folder_is_not_taken_for_a_file(tmp_path):
    with pytest.raises(ConfigError, match="expected a file, got a folder"):
        check_output(tmp_path)


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs Linux' /proc")
def test_a_folder_that_cannot_be_written_to_is_found_before_anything_runs():
    with pytest.raises(
        ConfigError, match=r"/proc/a\.txt: expected a file in a folder that can be"
    ):
        check_output(Path("/proc/a.txt"))

import errno
import os

import pytest

from trainable.files import UnwritableError, write_json, written_aside


def fail_half_way(path, *, folder=False):
    with written_aside(path) as aside:
        if folder:
            aside.mkdir()
        (aside / "a" if folder else aside).write_text("half")
        raise RuntimeError("half-way")


def test_a_failed_block_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("before")
    with pytest.raises(RuntimeError, match="half-way"):
        fail_half_way(path)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_appears_whole(tmp_path):
    with written_aside(tmp_path / "folder") as aside:
        aside.mkdir()
        (aside / "a").write_text("x")
        assert not (tmp_path / "folder").exists()
    assert (tmp_path / "folder" / "a").read_text() == "x"


def test_a_failed_folder_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError, match="half-way"):
        fail_half_way(tmp_path / "folder", folder=True)
    assert list(tmp_path.iterdir()) == []


def test_json_refuses_numbers_that_other_readers_do_not_know(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", {"f1": float("nan")})
    assert list(tmp_path.iterdir()) == []


def test_an_error_of_the_place_names_what_was_to_be_written(tmp_path):
    with (
        pytest.raises(UnwritableError, match=r"No space left on device: '.*/b\.txt'"),
        written_aside(tmp_path / "a" / "b.txt"),
    ):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert list((tmp_path / "a").iterdir()) == []


def test_an_error_with_another_file_is_left_as_it_is(tmp_path):
    with (
        pytest.raises(PermissionError, match="elsewhere"),
        written_aside(tmp_path / "b.txt"),
    ):
        raise OSError(errno.EACCES, "no", "/elsewhere/c.txt")


def test_a_parent_that_is_a_file_is_no_lack_of_room(tmp_path):
    (tmp_path / "a").write_text("x")
    with (
        pytest.raises(OSError, match=r"File exists|Not a directory"),
        written_aside(tmp_path / "a" / "b.txt") as aside,
    ):
        aside.write_text("x")

from pathlib import Path

import pytest

from trainable.data.built_once import built_once


def fill(folder: Path) -> None:
    folder.mkdir()
    (folder / "a.txt").write_text("whole")


def test_a_folder_is_built_where_there_is_none(tmp_path: Path) -> None:
    folder = built_once(tmp_path / "deep" / "folder", fill)
    assert (folder / "a.txt").read_text() == "whole"


def test_what_is_there_is_not_built_again(tmp_path: Path) -> None:
    built_once(tmp_path / "folder", fill)
    (tmp_path / "folder" / "a.txt").write_text("mine")
    built_once(tmp_path / "folder", fill)
    assert (tmp_path / "folder" / "a.txt").read_text() == "mine"


def test_what_is_not_whole_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    built_once(tmp_path / "folder", fill, is_whole=lambda path: (path / "a.txt").exists())
    assert (tmp_path / "folder" / "a.txt").exists()


def test_a_failed_build_leaves_nothing(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        fill(folder)
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        built_once(tmp_path / "folder", fail)
    assert {path.name for path in tmp_path.iterdir()} <= {"folder.lock"}


def test_what_a_killed_builder_left_is_removed(tmp_path: Path) -> None:
    (tmp_path / "folder.partial").mkdir()
    (tmp_path / "folder.partial" / "half.txt").write_text("ha")
    folder = built_once(tmp_path / "folder", fill)
    assert [path.name for path in folder.iterdir()] == ["a.txt"]
    assert not (tmp_path / "folder.partial").exists()

import multiprocessing
import os
import signal
import time
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


def build_slowly(path: Path, log: Path, seconds: float) -> None:
    """Build, note who does, and give time to be killed half-way."""

    def build(aside: Path) -> None:
        with log.open("a") as file:
            file.write(f"{os.getpid()}\n")
        aside.write_text("half")
        time.sleep(seconds)
        aside.write_text("whole")

    built_once(path, build)


def test_of_those_that_wait_for_a_killed_builder_one_builds(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    path, log = tmp_path / "file", tmp_path / "log"
    log.touch()
    builder = context.Process(target=build_slowly, args=(path, log, 600))
    builder.start()
    while not log.read_text():
        time.sleep(0.01)
    waiting = [context.Process(target=build_slowly, args=(path, log, 0.2)) for _ in range(3)]
    for process in waiting:
        process.start()
    time.sleep(0.5)
    assert not path.exists()
    os.kill(builder.pid or 0, signal.SIGKILL)
    for process in (builder, *waiting):
        process.join(timeout=300)
    assert [process.exitcode for process in waiting] == [0, 0, 0]
    assert path.read_text() == "whole"
    assert len(log.read_text().split()) == 2  # the one that was killed, and one more

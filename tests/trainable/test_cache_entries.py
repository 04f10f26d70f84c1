import errno
import os
import time
from contextlib import nullcontext
from pathlib import Path

import pytest

from trainable import cache_entries
from trainable.cache_entries import (
    WEEK_S,
    Entry,
    NoRoomError,
    entries,
    in_use,
    keep_to,
    remedy_for,
    room_for,
)

KIB = 1024


@pytest.fixture
def cache_dir(tmp_path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def add(cache_dir):
    """Return a function that puts an entry of so many KiB into the cache, used days ago."""

    def add(number: int, *, kib: int = 100, days: float = 30, marked: bool = True) -> Path:
        path = cache_dir / "decoded" / "v1" / f"{number:016x}" / "32x24.npy"
        path.parent.mkdir(parents=True)
        path.write_bytes(bytes(kib * KIB))
        if marked:
            in_use(path)()
        then = time.time() - days * 86400
        for place in (path, Path(f"{path}.used")):
            if place.exists():
                os.utime(place, (then, then))
        return path

    return add


def make_room(cache_dir: Path, kib: int, limit: str | None) -> None:
    with room_for(kib * KIB, "images at 8x6", cache_dir=cache_dir, limit=limit):
        pass


def test_what_was_not_used_for_longest_goes_first(add, cache_dir):
    middle, oldest, newest = add(1, days=40), add(2, days=50), add(3, days=30)
    make_room(cache_dir, 100, "310KiB")
    assert [path.exists() for path in (oldest, middle, newest)] == [False, True, True]
    make_room(cache_dir, 200, "310KiB")
    assert [path.exists() for path in (oldest, middle, newest)] == [False, False, True]


def test_nothing_goes_where_it_fits_or_there_is_no_limit(add, cache_dir):
    path = add(1)
    make_room(cache_dir, 100, "200KiB")
    make_room(cache_dir, 10**6, None)
    assert path.exists()


def test_an_entry_from_before_there_were_markers_is_as_old_as_it_is(add, cache_dir):
    old, new = add(1, days=40, marked=False), add(2, days=30)
    make_room(cache_dir, 100, "250KiB")
    assert (old.exists(), new.exists()) == (False, True)


def test_a_look_whether_something_can_go_is_no_use_of_it(add, cache_dir):
    path = add(1, marked=False)
    before = entries(cache_dir)[0].used_at
    with pytest.raises(NoRoomError):
        make_room(cache_dir, 300, "250KiB")
    assert path.exists()
    assert entries(cache_dir)[0].used_at == pytest.approx(before)


def test_opening_an_entry_marks_it_as_used(add, cache_dir):
    first, second = add(1, days=50), add(2, days=40)
    in_use(first)()
    make_room(cache_dir, 100, "250KiB")
    assert (first.exists(), second.exists()) == (True, False)


def test_what_is_in_use_stays_and_the_line_says_how_much_is_needed(add, cache_dir):
    used, unused = add(1, days=50), add(2, days=40)
    end = in_use(used)
    for path in (used, Path(f"{used}.used")):
        os.utime(path, (0, 0))  # in use for ages
    line = (
        r"^--cache-limit: expected at least 300KiB for images at 8x6 beside 100KiB that is in "
        r"use, got 250KiB\. Give more, or wait until less is in use\.$"
    )
    with pytest.raises(NoRoomError, match=line):
        make_room(cache_dir, 200, "250KiB")
    assert used.exists()
    assert unused.exists()  # its end would not have helped
    make_room(cache_dir, 200, "300KiB")
    assert (used.exists(), unused.exists()) == (True, False)
    end()
    make_room(cache_dir, 250, "300KiB")
    assert not used.exists()


def test_half_made_entries_count_and_go_once_nobody_makes_them(add, cache_dir):
    path = add(1, kib=10)
    path.rename(f"{path}.partial")
    with Path(f"{path}.partial").open("r+b") as file:
        file.truncate(500 * KIB)  # as far as it will be written
    assert [entry.size for entry in entries(cache_dir)] == [500 * KIB]
    end = in_use(path)
    with pytest.raises(NoRoomError, match="beside 500KiB that is in use"):
        make_room(cache_dir, 100, "400KiB")
    end()
    make_room(cache_dir, 100, "400KiB")
    assert not Path(f"{path}.partial").exists()


def test_only_what_the_product_makes_is_ever_deleted(add, cache_dir):
    add(1)
    mine = [
        cache_dir / "photos" / "a.npy",
        cache_dir / "decoded" / "a.npy",
        cache_dir / "decoded" / "v1" / "mine" / "32x24.npy",
        cache_dir / "faces" / "mine" / "images" / "a.jpg",
        cache_dir / "mirrors" / "mine" / "a",
        cache_dir / "digits" / "0" / "0000.png",
    ]
    for path in mine:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(100 * KIB))
    elsewhere = cache_dir.parent / "elsewhere"
    elsewhere.mkdir()
    (cache_dir / "mirrors" / ("0" * 16)).symlink_to(elsewhere)
    keep_to("1KiB", cache_dir=cache_dir)
    assert entries(cache_dir) == []
    assert all(path.exists() for path in [*mine, elsewhere])


def test_drawn_people_and_copies_of_buckets_are_entries_too(cache_dir):
    folders = [
        cache_dir / "faces" / "v2_people4_difficulty1_seed0" / "images",
        cache_dir / "mirrors" / "0123456789abcdef",
    ]
    for folder in folders:
        (folder / "a").mkdir(parents=True)
        (folder / "a" / "b").write_bytes(bytes(64 * KIB))
        os.utime(folder, (0, 0))
    assert [entry.path for entry in entries(cache_dir)] == folders
    assert [entry.size for entry in entries(cache_dir)] == [64 * KIB] * 2
    keep_to("64KiB", cache_dir=cache_dir)
    assert [folder.exists() for folder in folders] == [False, True]


def test_where_locks_stay_on_a_machine_what_was_opened_lately_counts_as_in_use(
    add, cache_dir, monkeypatch
):
    monkeypatch.setattr(cache_entries, "locks_reach_everyone", lambda _: False)
    lately, long_ago = add(1, days=6), add(2, days=8)
    assert WEEK_S == 7 * 86400
    keep_to("1KiB", cache_dir=cache_dir)
    assert (lately.exists(), long_ago.exists()) == (True, False)


def test_what_another_machine_opens_after_the_look_at_all_entries_is_not_deleted(
    add, cache_dir, monkeypatch
):
    path = add(1, days=8)

    def opened_meanwhile(cache: Path) -> list[Entry]:
        found = entries(cache)
        os.utime(f"{path}.used")
        return found

    monkeypatch.setattr(cache_entries, "locks_reach_everyone", lambda _: False)
    monkeypatch.setattr(cache_entries, "entries", opened_meanwhile)
    keep_to("1KiB", cache_dir=cache_dir)
    assert path.exists()
    assert time.time() - entries(cache_dir)[0].used_at < 60


def test_without_locks_nothing_is_deleted(add, cache_dir, monkeypatch):
    path = add(1)

    def no_locks(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(cache_entries.fcntl, "flock", no_locks)
    monkeypatch.setattr(cache_entries, "_room_lock", lambda _: nullcontext())
    in_use(path)()
    keep_to("1KiB", cache_dir=cache_dir)
    assert path.exists()


def test_a_full_disk_is_answered_with_what_makes_room():
    full, other = OSError(errno.ENOSPC, "full"), OSError(errno.EACCES, "closed")
    elsewhere = "--cache-dir names another place."
    limit = f"--cache-limit SIZE deletes what was not used for longest, {elsewhere}"
    assert remedy_for(full, None) == limit
    assert remedy_for(full, "20GiB") == elsewhere
    assert remedy_for(other, None) == ""

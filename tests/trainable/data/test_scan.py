import os
import re
from pathlib import Path

import pytest

from trainable.data.index import DataIndex
from trainable.data.scan import scan
from trainable.data.sources.class_folders import read_class_folders
from trainable.errors import ConfigError


@pytest.fixture
def index(class_layout) -> DataIndex:
    return read_class_folders(class_layout())


def change(path: Path) -> None:
    """Swap two pixels' worth of content, size and name unchanged, one second later."""
    other = next(p for p in sorted(path.parent.iterdir()) if p != path)
    path.write_bytes(other.read_bytes())
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 10**9))


def test_whole_images_all_stay(index: DataIndex, tmp_path: Path) -> None:
    scanned = scan(index, tmp_path)
    assert scanned.index.table.equals(index.table)
    assert scanned.broken == ()
    assert re.fullmatch("[0-9a-f]{16}", scanned.fingerprint)
    assert len(set(scanned.hashes)) == len(index)


def test_the_same_images_have_the_same_fingerprint_elsewhere(
    index: DataIndex, tmp_path: Path
) -> None:
    first = scan(index, tmp_path / "a").fingerprint
    moved = index.root.rename(tmp_path / "moved")
    assert scan(read_class_folders(moved), tmp_path / "b").fingerprint == first


def test_a_changed_image_changes_the_fingerprint(index: DataIndex, tmp_path: Path) -> None:
    before = scan(index, tmp_path).fingerprint
    change(index.root / "cat" / "3.png")
    assert scan(index, tmp_path).fingerprint != before


def test_a_change_that_keeps_size_and_time_is_found_too(tmp_path: Path, write_image) -> None:
    one, other = (write_image(tmp_path / "d" / label / "0.bmp") for label in "ab")
    before = scan(read_class_folders(tmp_path / "d"), tmp_path).fingerprint
    times = (one.stat().st_atime_ns, one.stat().st_mtime_ns)
    one.write_bytes(other.read_bytes())
    os.utime(one, ns=times)
    assert scan(read_class_folders(tmp_path / "d"), tmp_path).fingerprint != before


@pytest.mark.parametrize("column", ["label", "person"])
def test_a_changed_label_or_person_changes_the_fingerprint(
    index: DataIndex, tmp_path: Path, column: str
) -> None:
    table = index.table.copy()
    table.loc[2, column] = "dog"
    assert scan(index, tmp_path).fingerprint != scan(index.with_table(table), tmp_path).fingerprint


def test_the_order_of_rows_does_not_change_the_fingerprint(
    index: DataIndex, tmp_path: Path
) -> None:
    turned = index.with_table(index.table.iloc[::-1])
    assert scan(turned, tmp_path).fingerprint == scan(index, tmp_path).fingerprint


def test_unchanged_images_are_not_read_again(index: DataIndex, tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    for _ in range(2):
        scan(index, tmp_path, progress=lambda done, total: calls.append((done, total)))
    assert calls == [(12, 12)]


def test_a_damaged_memory_of_a_scan_is_made_anew(index: DataIndex, tmp_path: Path) -> None:
    first = scan(index, tmp_path)
    for memo in (tmp_path / "scans").iterdir():
        memo.write_text('[["ab"')
    assert scan(index, tmp_path).fingerprint == first.fingerprint


def test_broken_images_are_named_with_reason_and_remedy(index: DataIndex, tmp_path: Path) -> None:
    (index.root / "cat" / "1.png").write_bytes(b"no picture")
    (index.root / "dog" / "2.png").write_bytes(b"")
    with pytest.raises(ConfigError) as caught:
        scan(index, tmp_path, max_broken=1)
    first, *named = caught.value.problems
    assert re.search(
        r"expected at most 1 unreadable images in .*, got 2\. .*--max-broken 2", first
    )
    assert named[0].strip().startswith("cat/1.png: not an image of a known format")
    assert named[1].strip() == "dog/2.png: the file is empty."


def test_only_five_broken_images_are_named(index: DataIndex, tmp_path: Path) -> None:
    for number in range(6):
        (index.root / "cat" / f"{number}.png").write_bytes(b"no picture")
    with pytest.raises(ConfigError, match=r"cat/4\.png.*\n.*\.\.\. and 1 more\.$"):
        scan(index, tmp_path)


def test_few_enough_broken_images_are_left_out_and_counted(
    index: DataIndex, tmp_path: Path
) -> None:
    (index.root / "cat" / "1.png").write_bytes(b"no picture")
    scanned = scan(index, tmp_path, max_broken=1)
    assert [image.path for image in scanned.broken] == ["cat/1.png"]
    assert len(scanned.index) == len(scanned.hashes) == 11
    assert "cat/1.png" not in set(scanned.index.table["path"])
    assert scanned.index.table.index.tolist() == list(range(11))


def test_a_truncated_jpeg_is_broken(tmp_path: Path, write_image) -> None:
    paths = [write_image(tmp_path / "d" / label / "0.jpg", height=200) for label in "ab"]
    paths[0].write_bytes(paths[0].read_bytes()[:-300])
    with pytest.raises(ConfigError, match=r"a/0\.jpg: .*truncated"):
        scan(read_class_folders(tmp_path / "d"), tmp_path)


def test_a_file_that_went_away_is_broken(index: DataIndex, tmp_path: Path) -> None:
    (index.root / "cat" / "1.png").unlink()
    with pytest.raises(ConfigError, match=r"cat/1\.png: No such file"):
        scan(index, tmp_path)

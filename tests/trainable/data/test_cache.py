import dataclasses
import multiprocessing
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from trainable.data import cache
from trainable.data.cache import cache_file, open_cache
from trainable.data.decode import decode_image
from trainable.data.prepared import PreparedData, prepare_data, read_data, write_data
from trainable.errors import SearchError
from trainable.files import write_json

SIZE = (32, 24)
NUM_READERS = 4


@pytest.fixture
def data(class_layout, tmp_path: Path) -> PreparedData:
    return prepare_data(str(class_layout()), cache_dir=tmp_path / "cache", seed=0)


def test_row_i_is_the_image_of_row_i(data: PreparedData) -> None:
    images = open_cache(data, SIZE)
    assert images.dtype == np.uint8
    for row, path in enumerate(data.index.table["path"]):
        assert np.array_equal(images[row], decode_image(data.index.root / path, SIZE))


def test_it_is_a_read_only_map_of_a_plain_npy_file(data: PreparedData) -> None:
    images = open_cache(data, SIZE)
    assert isinstance(images, np.memmap)
    assert np.array_equal(np.load(cache_file(data, SIZE)), images)
    with pytest.raises(ValueError, match="read-only"):
        images[0] = 0


def test_each_size_has_its_own_file(data: PreparedData) -> None:
    assert open_cache(data, (8, 8)).shape == (12, 8, 8, 3)
    assert open_cache(data, SIZE).shape == (12, 32, 24, 3)


def test_each_centre_has_its_own_file(data: PreparedData) -> None:
    cropped = dataclasses.replace(data, crop=(8, 6))
    assert cache_file(cropped, SIZE).name == "32x24-of-8x6.npy"
    images = open_cache(cropped, SIZE)
    for row, path in enumerate(data.index.table["path"]):
        expected = decode_image(data.index.root / path, SIZE, crop=(8, 6))
        assert np.array_equal(images[row], expected)
    assert not np.array_equal(images, open_cache(data, SIZE))


def test_it_is_built_once_with_progress(data: PreparedData) -> None:
    calls: list[tuple[int, int]] = []
    for _ in range(2):
        open_cache(data, SIZE, progress=lambda done, total: calls.append((done, total)))
    assert calls == [(12, 12)]


@pytest.mark.parametrize("damage", ["shorten", "empty", "garbage", "other shape", "other type"])
def test_a_damaged_file_is_built_anew(data: PreparedData, damage: str) -> None:
    whole = np.array(open_cache(data, SIZE))
    path = cache_file(data, SIZE)
    content = path.read_bytes()
    if damage == "other shape":
        np.save(path, whole[:-1])
    elif damage == "other type":
        np.save(path, whole.astype(np.int8))
    else:
        contents = {"shorten": content[:-1], "empty": b"", "garbage": b"\x93NUMPY" + b"x" * 99}
        path.write_bytes(contents[damage])
    assert np.array_equal(open_cache(data, SIZE), whole)


def test_any_flipped_bit_of_the_header_is_found(data: PreparedData) -> None:
    whole = np.array(open_cache(data, SIZE))
    path = cache_file(data, SIZE)
    content = path.read_bytes()
    for position in range(0, len(content) - whole.nbytes, 9):
        damaged = bytearray(content)
        damaged[position] ^= 1
        path.write_bytes(damaged)
        assert np.array_equal(open_cache(data, SIZE), whole)
        assert path.read_bytes() == content


def test_nothing_is_left_beside_the_file_but_its_lock_and_marker(data: PreparedData) -> None:
    open_cache(data, SIZE)
    names = {path.name for path in cache_file(data, SIZE).parent.iterdir()}
    assert names <= {"32x24.npy", "32x24.npy.lock", "32x24.npy.used"}


def test_an_image_that_went_away_is_named_and_leaves_no_file(data: PreparedData) -> None:
    (data.index.root / "cat" / "3.png").unlink()
    with pytest.raises(SearchError, match=r"3\.png: expected an image as when .*, got No such"):
        open_cache(data, SIZE)
    assert not cache_file(data, SIZE).exists()
    assert not cache_file(data, SIZE).with_name("32x24.npy.partial").exists()


def test_an_image_that_changed_after_the_scan_is_not_kept(data: PreparedData) -> None:
    changed = data.index.root / "cat" / "3.png"
    changed.write_bytes((data.index.root / "dog" / "3.png").read_bytes())
    with pytest.raises(SearchError, match="classes: expected the images as when the search began"):
        open_cache(data, SIZE)
    assert not cache_file(data, SIZE).exists()


def test_a_run_that_is_read_back_finds_its_images_unchanged(
    data: PreparedData, tmp_path: Path
) -> None:
    write_json(tmp_path / "run" / "run.json", {"data": write_data(tmp_path / "run", data)})
    assert open_cache(read_data(tmp_path / "run"), SIZE).shape == (12, 32, 24, 3)


def test_another_version_of_the_decoder_has_its_own_file(
    data: PreparedData, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = cache_file(data, SIZE)
    monkeypatch.setattr(cache, "DECODER_VERSION", cache.DECODER_VERSION + 1)
    assert cache_file(data, SIZE) != before


def test_a_folder_that_cannot_be_written_is_told(data: PreparedData) -> None:
    (data.cache_dir / "decoded").write_text("a file")
    with pytest.raises(SearchError, match="expected room for 0 MB that can be written, got"):
        open_cache(data, SIZE)


def test_threads_that_open_at_once_build_once(data: PreparedData) -> None:
    calls: list[tuple[int, int]] = []

    def use() -> None:
        open_cache(data, SIZE, progress=lambda done, total: calls.append((done, total)))

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert calls == [(12, 12)]


BUILD_AND_HANG = """
import sys, time
from pathlib import Path
from trainable.data.prepared import read_data

def hang(done, total):
    print(done, total, flush=True)
    time.sleep(60)

read_data(Path(sys.argv[1])).images((32, 24), hang)
"""


def test_a_builder_that_is_killed_half_way_leaves_no_cache(class_layout, tmp_path: Path) -> None:
    folder = class_layout(num_images=20)
    data = prepare_data(str(folder), cache_dir=tmp_path / "cache", seed=0)
    write_json(tmp_path / "run" / "run.json", {"data": write_data(tmp_path / "run", data)})
    command = [sys.executable, "-c", BUILD_AND_HANG, str(tmp_path / "run")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as builder:
        assert builder.stdout is not None
        assert builder.stdout.readline() == "16 40\n"
        builder.send_signal(signal.SIGKILL)
    assert cache_file(data, SIZE).with_name("32x24.npy.partial").exists()
    assert not cache_file(data, SIZE).exists()
    assert open_cache(data, SIZE).shape == (40, 32, 24, 3)
    assert not cache_file(data, SIZE).with_name("32x24.npy.partial").exists()


def proportional_kb(path: Path) -> float:
    """Return this process's share of the memory in which a file is mapped."""
    smaps = Path("/proc/self/smaps").read_text()
    mapping = smaps[smaps.index(str(path)) :]
    found = re.search(r"^Pss:\s+(\d+) kB", mapping, re.MULTILINE)
    assert found is not None
    return float(found[1])


def read_all(path: Path, barrier, shares) -> None:
    images = np.load(path, mmap_mode="r")
    images.sum()
    barrier.wait(timeout=300)  # everyone has it in memory
    shares.put(proportional_kb(path))
    barrier.wait(timeout=300)  # nobody leaves before all have measured


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="Linux tells memory shares")
def test_four_processes_share_one_copy(data: PreparedData) -> None:
    size = (320, 256)
    open_cache(data, size)
    context = multiprocessing.get_context("fork")
    barrier, shares = context.Barrier(NUM_READERS), context.Queue()
    arguments = (cache_file(data, size), barrier, shares)
    readers = [context.Process(target=read_all, args=arguments) for _ in range(NUM_READERS)]
    for reader in readers:
        reader.start()
    total_kb = sum(shares.get(timeout=300) for _ in readers)
    for reader in readers:
        reader.join(timeout=300)
    assert total_kb == pytest.approx(12 * 320 * 256 * 3 / 1024, rel=0.05)

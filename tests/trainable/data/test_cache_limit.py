import gc
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from trainable import cache_entries
from trainable.byte_size import num_bytes
from trainable.cache_entries import NoRoomError, entries, keep_to
from trainable.data.cache import cache_file, decoded_bytes, open_cache
from trainable.data.prepared import PreparedData, prepare_data, read_data, write_data
from trainable.errors import SearchError
from trainable.files import write_json


@pytest.fixture
def cache_dir(tmp_path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def data(class_layout, cache_dir) -> PreparedData:
    return prepare_data(str(class_layout()), cache_dir=cache_dir, seed=0)


USE = """
import sys, time
from pathlib import Path
from trainable.data.prepared import read_data
held = [read_data(Path(sys.argv[1])).images((32, 24))]
print("mapped", flush=True)
sys.stdin.readline()
held.clear()
print("let go", flush=True)
sys.stdin.readline()
"""


@contextmanager
def other_process(code: str, *arguments: str):
    command = [sys.executable, "-c", code, *map(str, arguments)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as process:
        yield process
        process.kill()


def test_images_stay_as_long_as_anything_maps_them(data, cache_dir):
    images = open_cache(data, (32, 24))
    some = np.asarray(images[2:4])
    del images
    gc.collect()
    keep_to("1KiB", cache_dir=cache_dir)
    assert cache_file(data, (32, 24)).exists()
    del some
    gc.collect()
    keep_to("1KiB", cache_dir=cache_dir)
    assert not cache_file(data, (32, 24)).exists()
    assert open_cache(data, (32, 24)).shape == (12, 32, 24, 3)


def test_images_that_another_process_maps_stay_until_it_lets_go_of_them(data, tmp_path):
    write_json(tmp_path / "run" / "run.json", {"data": write_data(tmp_path / "run", data)})
    limited = replace(data, cache_limit="64KiB")
    with other_process(USE, tmp_path / "run") as process:
        assert process.stdout.readline() == "mapped\n"
        with pytest.raises(NoRoomError, match=r"for images at 48x32 beside .* use, got 64KiB"):
            open_cache(limited, (48, 32))
        assert cache_file(data, (32, 24)).exists()
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "let go\n"
        open_cache(limited, (48, 32))
        assert not cache_file(data, (32, 24)).exists()


def test_images_of_a_process_that_was_killed_can_go(data, tmp_path):
    write_json(tmp_path / "run" / "run.json", {"data": write_data(tmp_path / "run", data)})
    with other_process(USE, tmp_path / "run") as process:
        assert process.stdout.readline() == "mapped\n"
    open_cache(replace(data, cache_limit="64KiB"), (48, 32))
    assert not cache_file(data, (32, 24)).exists()


def test_images_larger_than_the_limit_are_refused_and_nothing_goes(data, cache_dir):
    open_cache(data, (8, 8))
    gc.collect()
    limited = replace(data, cache_limit="8KiB")
    assert decoded_bytes(data, (32, 24)) > num_bytes("8KiB")
    with pytest.raises(SearchError, match=r"at least 28KiB for images at 32x24, got 8KiB\.$"):
        open_cache(limited, (32, 24))
    assert [entry.path for entry in entries(cache_dir)] == [cache_file(data, (8, 8))]


def test_people_that_were_drawn_and_deleted_are_drawn_again(tmp_path, cache_dir):
    drawn = prepare_data("faces:people=40", cache_dir=cache_dir, seed=0)
    run = tmp_path / "run"
    write_json(run / "run.json", {"data": write_data(run, replace(drawn, cache_limit="90MiB"))})
    in_use_here = cache_entries._uses.pop(drawn.index.root)
    in_use_here()
    keep_to("1KiB", cache_dir=cache_dir)
    assert not drawn.index.root.exists()
    again = read_data(run)
    assert again.cache_limit == "90MiB"
    assert again.images((8, 6)).shape == (280, 8, 6, 3)
    keep_to("1KiB", cache_dir=cache_dir)
    assert drawn.index.root.exists()  # it may be decoded at another size


DECODE = """
import random, sys, time
from pathlib import Path
from trainable.cache_entries import NoRoomError, _room_lock, entries
from trainable.data.prepared import read_data

data, draws, most = read_data(Path(sys.argv[1])), random.Random(sys.argv[2]), 0
ready = time.monotonic()
while time.monotonic() < ready + 4:
    height = draws.choice([16, 20, 24, 28, 32, 36])
    try:
        images = data.images((height, 24))
    except NoRoomError:
        continue
    time.sleep(draws.random() / 50)
    assert images[:, 0].any() and images[-1].any()
    with _room_lock(data.cache_dir):
        most = max(most, sum(entry.size for entry in entries(data.cache_dir)))
    del images
print(most)
"""


@pytest.mark.slow
def test_processes_that_decode_at_once_keep_to_the_limit_together(data, tmp_path):
    run = tmp_path / "run"
    write_json(run / "run.json", {"data": write_data(run, replace(data, cache_limit="100KiB"))})
    with ExitStack() as started:
        processes = [started.enter_context(other_process(DECODE, run, n)) for n in range(3)]
        most = [int(process.stdout.read()) for process in processes]
    assert 2 * 28 * 1024 <= max(most) <= 100 * 1024

"""``--cache-limit``: what is checked before anything runs, what is recorded, a search with it."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from search.arguments import parse_arguments
from search.cache_room import Room, decoded, entry_bytes
from search.opening import opening_lines
from search.plan import make_plan
from search.run import main
from search.run_record import create_run_folder, record_resume
from trainable.cache_entries import in_use, keep_to
from trainable.data.cache import cache_file
from trainable.data.prepared import prepare_data, read_data
from trainable.errors import ConfigError

KIB = 1024


@pytest.fixture
def own_cache(tmp_path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def given(space_file, coloured_folder, own_cache, tmp_path):
    """Return a function that returns the command line of a search."""

    def command(*options: str, data: str = str(coloured_folder)) -> list[str]:
        places = ("--runs-dir", tmp_path / "runs", "--cache-dir", own_cache, "--name", "a")
        return [str(text) for text in ("--space", space_file, "--data", data, *places, *options)]

    return command


def earlier_entry(cache: Path, *, kib: int = 256) -> Path:
    """Put images into the cache that a search decoded long ago."""
    path = cache / "decoded" / "v1" / "0123456789abcdef" / "32x32.npy"
    path.parent.mkdir(parents=True)
    path.write_bytes(bytes(kib * KIB))
    in_use(path)()
    os.utime(f"{path}.used", (0, 0))
    return path


def test_the_limit_is_recorded_and_shown_as_it_is_written(given, own_cache):
    options = parse_arguments(given("--cache-limit", "20 gib"))
    plan = make_plan(options)
    assert (
        list(opening_lines(plan, options.values))[-1] == f"Cache:   at most 20GiB in {own_cache}"
    )
    record = json.loads((create_run_folder(plan, []) / "run.json").read_text())
    assert record["options"]["cache_limit"] == "20GiB"
    assert record["data"]["cache_limit"] == "20GiB"
    assert read_data(plan.run_folder).cache_limit == "20GiB"


def test_no_limit_is_none(given):
    options = parse_arguments(given())
    plan = make_plan(options)
    assert not any("Cache:" in line for line in opening_lines(plan, options.values))
    assert read_data(create_run_folder(plan, [])).cache_limit is None


def test_a_search_that_goes_on_may_have_another_limit(given):
    run = create_run_folder(make_plan(parse_arguments(given())), [])
    plan = make_plan(parse_arguments(["--resume", str(run), "--cache-limit", "500MB"]))
    record_resume(plan, [])
    assert read_data(run).cache_limit == "500MB"
    again = make_plan(parse_arguments(["--resume", str(run)]))
    assert again.data.cache_limit == again.options.cache_limit == "500MB"
    with pytest.raises(
        ConfigError, match="--cache-limit: expected at least 272KiB for the images"
    ):
        make_plan(parse_arguments(["--resume", str(run), "--cache-limit", "1KB"]))


def test_a_record_with_a_limit_that_is_none_is_refused(given):
    run = create_run_folder(make_plan(parse_arguments(given("--cache-limit", "1GB"))), [])
    file = run / "run.json"
    record = json.loads(file.read_text())
    record["data"]["cache_limit"] = "much"
    file.write_text(json.dumps(record))
    with pytest.raises(ConfigError, match="expected what a search writes under 'data'"):
        read_data(run)


def test_a_limit_that_is_too_small_is_one_line_that_says_how_much_is_needed(
    given, own_cache, capsys
):
    old = earlier_entry(own_cache)
    assert main(given("--cache-limit", "100KiB")) == 2
    assert capsys.readouterr().err == (
        "--cache-limit: expected at least 272KiB for the images of this search at 32x32, got "
        "100KiB.\n"
    )
    assert old.exists()
    assert main(given("--cache-limit", "272KiB", "--dry-run")) == 0
    words = " ".join(capsys.readouterr().out.split())
    assert f"cache: at most 272KiB in {own_cache}, of which this search needs 272KiB" in words


def test_people_that_are_drawn_count_as_well(given, own_cache, capsys):
    assert main(given("--cache-limit", "1MiB", data="faces:people=40")) == 2
    assert (
        "at least 3.42MiB for the images of this search at 32x32, got 1MiB"
        in capsys.readouterr().err
    )
    data = prepare_data("faces:people=40", cache_dir=own_cache, seed=0)
    drawn, large, small = entry_bytes(data, [(32, 32), (8, 6)])
    assert drawn == data.index.root
    assert (large.name, small.name) == ("32x32.npy", "8x6.npy")
    sizes = entry_bytes(data, [(32, 32), (8, 6)])
    assert sizes[drawn] > sum(photo.stat().st_size for photo in drawn.glob("*/*"))
    assert sizes[large] == 844 * KIB  # 280 * 32 * 32 * 3 bytes and a header, in whole blocks


def test_images_of_a_bucket_count_as_the_whole_of_what_was_brought(data, own_cache):
    brought = own_cache / "buckets" / "0123456789abcdef"
    deeper = brought / "photos" / "images"
    deeper.mkdir(parents=True)
    (deeper / "0.png").write_bytes(bytes(5 * KIB))
    (brought / "labels.csv").write_bytes(bytes(KIB))
    copied = replace(data, index=replace(data.index, root=deeper), cache_dir=own_cache)
    assert entry_bytes(copied, []) == {brought: 12 * KIB}  # in whole blocks of 4 KiB


def test_what_others_use_is_left_and_the_search_refused_before_anything_is_written(
    given, own_cache, tmp_path, capsys
):
    end = in_use(earlier_entry(own_cache))
    assert main(given("--cache-limit", "300KiB")) == 2
    end()
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(
        "--cache-limit: expected at least 528KiB for images at 32x32 beside 256KiB that is in use"
    )
    assert not (tmp_path / "runs").exists()


def test_a_search_holds_its_images_and_a_cache_that_is_too_full_shrinks(
    coloured_folder, own_cache
):
    old = earlier_entry(own_cache)
    data = prepare_data(str(coloured_folder), cache_dir=own_cache, seed=0, cache_limit="400KiB")
    sizes = ((32, 24), (8, 6))
    for size in sizes:
        replace(data, cache_limit=None).images(size)
    with decoded(data, sizes, data.images):
        assert not old.exists()
        keep_to("1KiB", cache_dir=own_cache)
        assert all(cache_file(data, size).exists() for size in sizes)
    keep_to("1KiB", cache_dir=own_cache)
    assert not any(cache_file(data, size).exists() for size in sizes)


def test_each_node_is_asked_whether_it_has_the_room(coloured_folder, own_cache):
    data = prepare_data(str(coloured_folder), cache_dir=own_cache, seed=0)
    assert Room.of(data, [(32, 32)]) is None
    room = Room.of(replace(data, cache_limit="400KiB"), [(32, 32)])
    assert list(room.problems(own_cache)) == []
    end = in_use(earlier_entry(own_cache))
    [line] = room.problems(own_cache)
    assert line.startswith(
        "--cache-limit: expected at least 528KiB for the images of this search beside 256KiB that "
        "is in use, got 400KiB."
    )
    end()
    held = data.images((32, 32))  # its own
    assert list(room.problems(own_cache)) == []
    assert len(held) == 90


@pytest.mark.slow
def test_a_search_deletes_what_was_not_used_for_longest_for_its_own_images(start, tmp_path):
    old = earlier_entry(tmp_path / "cache")
    new = old.with_name("64x64.npy")
    new.write_bytes(bytes(64 * KIB))
    in_use(new)()
    short = ("--trials", "2", "--max-epochs", "1", "--max-concurrent", "1")
    search = start(*short, "--cache-limit", "400KiB")
    assert "Cache:   at most 400KiB in " in search.finished()
    assert (old.exists(), new.exists()) == (False, True)
    assert cache_file(read_data(search.run), (32, 32)).exists()
    assert len(search.trials()) == 2


@pytest.mark.slow
def test_a_machine_of_a_cluster_without_the_room_is_named_before_anything_is_written(
    start, running_ray, tmp_path
):
    end = in_use(earlier_entry(tmp_path / "cache"))
    search = start(*running_ray, "--cache-limit", "300KiB")
    code, printed = search.ended()
    end()
    assert code == 2
    assert printed.splitlines()[-1].startswith("node ")
    assert "--cache-limit: expected at least 528KiB for the images of this search bes" in printed
    assert not search.run.exists()

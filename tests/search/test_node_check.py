"""What a node finds missing, asked on this machine."""

import importlib.util
import uuid
from dataclasses import replace
from pathlib import Path

import fsspec
import pytest

from search.node_check import Answer, Places, answer_here, installed


@pytest.fixture
def places(tmp_path) -> Places:
    mark = tmp_path / "runs" / ".search-x" / "mark"
    image, weights = tmp_path / "images" / "0.png", tmp_path / "weights.safetensors"
    for path in (mark, image, weights):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return Places(mark, (image,), (weights,), tmp_path / "cache", installed())


def test_a_node_that_sees_all_has_no_problems(places):
    assert answer_here(places) == Answer()


@pytest.mark.parametrize(
    ("lost", "start", "remedy"),
    [
        ("images", "--data: expected the same images as on the mach", "Keep data on storage that"),
        ("weights", "backbone/pretrained: expected the same weights", "Keep data on storage that"),
    ],
)
def test_what_a_node_does_not_see_is_named_with_what_helps(places, lost, start, remedy):
    found = getattr(places, lost)
    path = found[0] if isinstance(found, tuple) else found
    path.unlink()
    [problem] = answer_here(places).problems
    assert problem.startswith(start)
    assert remedy in problem


def test_a_node_without_the_disk_of_the_run_folders_says_so(places):
    assert answer_here(places).shares_runs
    places.runs.unlink()
    assert answer_here(places) == Answer(shares_runs=False)


def test_images_of_a_bucket_need_not_be_there_where_the_bucket_can_be_read(places):
    there = f"memory://{uuid.uuid4().hex}/cat/0.png"
    system, path = fsspec.url_to_fs(there)
    system.pipe_file(path, b"image")
    places.images[0].unlink()
    assert answer_here(replace(places, url=there)) == Answer()
    system.rm_file(path)
    [problem] = answer_here(replace(places, url=there)).problems
    assert problem.startswith(f"{there}: expected an image of --data that this node can read, got")
    assert problem.endswith(
        "Access is configured outside of this program, as for the bucket's own tools."
    )
    places.images[0].touch()
    assert answer_here(replace(places, url=there)) == Answer()


@pytest.mark.skipif(bool(importlib.util.find_spec("gcsfs")), reason="gcsfs is installed here")
def test_a_package_that_a_node_lacks_for_the_bucket_is_named(places):
    places.images[0].unlink()
    [problem] = answer_here(replace(places, url="gs://team/photos/cat/0.png")).problems
    assert problem.endswith("Try: pip install gcsfs")


def test_another_version_of_a_package_is_named(places):
    other = replace(places, versions={**places.versions, "timm": "0.1.0", "no-such-one": "2.0"})
    first, second = answer_here(other).problems
    assert first.startswith("timm: expected version 0.1.0, which the search runs with, got 1.")
    assert second.startswith(
        "no-such-one: expected version 2.0, which the search runs with, got n"
    )


def test_a_cache_and_a_run_folder_that_cannot_be_written_are_refused(places):
    (places.runs.parents[2] / "file").touch()
    no_folder = places.runs.parents[2] / "file" / "cache"
    [problem] = answer_here(replace(places, cache=no_folder)).problems
    assert problem.startswith("--cache-dir: expected a folder to write to, got")
    assert "(Not a directory). Give --cache-dir a folder that each node can" in problem
    [problem] = answer_here(replace(places, runs=Path("/proc/self/status"))).problems
    assert problem.startswith("--runs-dir: expected a folder to write to, got /proc (")

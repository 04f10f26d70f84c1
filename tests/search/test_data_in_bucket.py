"""A search on images in a bucket, to the end, and gone on with where they are not there yet."""

import json
import shutil
from pathlib import Path

import pytest

from search.run import main
from tests.conftest import write_coloured_images

URL = "s3://team/photos"


@pytest.fixture
def photos(bucket, tmp_path) -> str:
    """Return the URL of images in an S3."""
    write_coloured_images(tmp_path / "photos", num_each=20)
    for image in (tmp_path / "photos").glob("*/*"):
        bucket.pipe_file(f"team/photos/{image.parent.name}/{image.name}", image.read_bytes())
    return URL


def brought(cache: Path) -> list[Path]:
    return [*cache.glob("buckets/*/*/*.png")]


@pytest.mark.slow
def test_a_search_runs_to_its_end_and_goes_on_where_the_images_are_not_there_yet(
    photos, start, tmp_path
):
    cache = tmp_path / "bucket-cache"
    options = ("--data", photos, "--cache-dir", str(cache), "--trials", "2")
    search = start(*options, "--max-concurrent", "1")
    search.finished()
    record = json.loads((search.run / "run.json").read_text())
    assert record["options"]["data"] == record["data"]["source"] == photos
    assert len(brought(cache)) == 60
    assert (search.run / "report.html").is_file()
    shutil.rmtree(cache)
    search = start("--trials", "3", new=False)
    search.finished()
    assert len(search.trials()) == 3
    assert len(brought(cache)) == 60


def test_a_bucket_without_images_is_found_before_anything_is_written(s3, tmp_path, capsys):
    runs = tmp_path / "runs"
    what = ["--space", "spaces/quick.py", "--data", "s3://nowhere/photos"]
    where = ["--runs-dir", str(runs), "--cache-dir", str(tmp_path / "cache")]
    assert main([*what, *where]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "s3://nowhere/photos: expected " in line
    assert not runs.exists()

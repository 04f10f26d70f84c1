"""Buckets: memory:// of fsspec, files by URL, and S3 served by moto on this machine."""

import importlib.util
import json
import uuid

import fsspec
import pytest

from analysis.leaderboard import main
from analysis.mirror import Mirror, open_url
from analysis.run_places import find_runs
from trainable import cache_entries
from trainable.cache_entries import keep_to
from trainable.cache_place import default_cache_dir
from trainable.errors import ConfigError

TRIALS = [
    {"state": "complete", "curve": [0.5]},
    {"state": "pruned", "curve": [0.3]},
]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Return the cache that mirrors are kept in."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def run(make_run):
    """Return a run folder with weights, and with files that nobody needs."""
    path = make_run("local/a", TRIALS)
    weights = path / "trials" / "0000" / "checkpoint" / "best.safetensors"
    weights.parent.mkdir()
    weights.write_bytes(b"weights")
    (weights.parent / "last.safetensors").write_bytes(b"of no use here")
    (path / "trials" / "0000" / "events.out.tfevents.1").write_bytes(b"of no use here")
    return path


@pytest.fixture
def bucket(run):
    """Return the URL of a bucket in memory with the run as ``runs/ann/a``."""
    url = f"memory://{uuid.uuid4().hex}/runs"
    upload(run, f"{url}/ann/a")
    return url


def upload(folder, url):
    system, root = fsspec.url_to_fs(url)
    for file in folder.rglob("*"):
        if file.is_file():
            put(f"{url}/{file.relative_to(folder).as_posix()}", file.read_bytes())
    return system, root


def put(url, content):
    system, path = fsspec.url_to_fs(url)
    system.pipe_file(path, content)


def copied(mirror):
    files = (path for path in mirror.folder.rglob("*") if path.is_file())
    return {path.relative_to(mirror.folder).as_posix() for path in files}


def test_a_bucket_is_read_like_a_folder_of_run_folders(bucket, cache, capsys):
    assert main([bucket]) == 0
    assert "2 trials: 1 complete, 1 pruned." in capsys.readouterr().out
    found = find_runs([bucket])
    assert [(r.name, r.place) for r in found.runs] == [("ann/a", f"{bucket}/ann/a")]
    assert found.runs[0].data.cache_dir == cache / "classifier-search"
    (alone,) = find_runs([f"{bucket}/ann/a/"]).runs
    assert (alone.name, len(alone.trials)) == ("a", 2)


def test_only_what_analysis_reads_is_copied_and_weights_on_demand(bucket):
    mirror = open_url(bucket)
    assert copied(mirror) == {
        ".mirror.json",
        "ann/a/run.json",
        "ann/a/split.csv",
        "ann/a/study.db",
        "ann/a/trials/0000/metrics.csv",
        "ann/a/trials/0001/metrics.csv",
    }
    (file,) = mirror.weights
    assert mirror.has_weights(file)
    mirror.bring_weights(file)
    assert file.read_bytes() == b"weights"


def test_what_has_changed_is_copied_again_and_nothing_else(bucket):
    mirror = open_url(bucket)
    split, record = (mirror.folder / "ann/a" / name for name in ("split.csv", "run.json"))
    split.write_text("changed here, the same in the bucket")
    put(f"{bucket}/ann/a/run.json", b"{}")
    open_url(bucket)
    assert record.read_text() == "{}"
    assert split.read_text() == "changed here, the same in the bucket"


def test_what_is_gone_from_the_bucket_goes_from_the_copy_and_changed_weights_too(bucket):
    mirror = open_url(bucket)
    (file,) = mirror.weights
    mirror.bring_weights(file)
    system, root = fsspec.url_to_fs(bucket)
    system.rm_file(f"{root}/ann/a/trials/0001/metrics.csv")
    put(f"{bucket}/ann/a/trials/0000/checkpoint/best.safetensors", b"later weights")
    mirror = open_url(bucket)
    assert not file.exists()
    assert "ann/a/trials/0001/metrics.csv" not in copied(mirror)
    mirror.bring_weights(file)
    assert file.read_bytes() == b"later weights"


def test_a_copy_whose_state_was_lost_is_made_anew(bucket):
    mirror = open_url(bucket)
    (mirror.folder / ".mirror.json").write_text("{")
    (mirror.folder / "ann/a/run.json").write_text("half")
    open_url(bucket)
    assert json.loads((mirror.folder / "ann/a/run.json").read_text())["metric"] == "val/f1"


@pytest.mark.parametrize(
    "name",
    [
        "../../evil/run.json",
        "ann/../../evil/run.json",
        "/etc/run.json",
        "./run.json",
        ".hidden/run.json",
        "a\\..\\evil/run.json",
        "C:/evil/run.json",
        "trials/x/run.json",
        "ann/a/trials/../../../evil/run.json",
        "ann/a/trials/0000/../../../../evil",
        "ann/a/trials/0000/checkpoint/../../../../../evil.safetensors",
        "nul\0/run.json",
        "new\nline/run.json",
    ],
)
def test_no_name_in_a_bucket_leads_out_of_the_copy(bucket, cache, monkeypatch, name):
    system, root = fsspec.url_to_fs(bucket)
    listed = system.find(root, detail=True)
    evil = {f"{root}/{name}": {"size": 4, "type": "file", "created": 0}}
    monkeypatch.setattr(type(system), "find", lambda *_, **__: listed | evil)
    mirror = open_url(bucket)
    assert len(copied(mirror)) == 6
    files = {path.name for path in cache.rglob("*") if not path.is_relative_to(mirror.folder)}
    beside = {f"{mirror.folder.name}{suffix}" for suffix in (".lock", ".used")}
    assert files == {"classifier-search", "mirrors", *beside}


def test_a_copy_stays_as_long_as_it_is_read_and_is_made_again_once_it_was_deleted(bucket):
    mirror = open_url(bucket)
    keep_to("1KiB", cache_dir=default_cache_dir())
    assert len(copied(mirror)) == 6
    cache_entries._uses.pop(mirror.folder)()  # as the end of the process does
    keep_to("1KiB", cache_dir=default_cache_dir())
    assert not mirror.folder.exists()
    assert len(copied(open_url(bucket))) == 6


def test_a_file_that_changes_while_it_is_copied_leaves_no_half_copy(bucket, monkeypatch):
    system, root = fsspec.url_to_fs(bucket)
    listed = system.find(root, detail=True)
    record = f"{root}/ann/a/run.json"
    listed[record] = listed[record] | {"size": 1}
    monkeypatch.setattr(type(system), "find", lambda *_, **__: listed)
    with pytest.raises(ConfigError, match=r"runs: expected a bucket .* changed while it was read"):
        open_url(bucket)
    monkeypatch.undo()


def test_problems_with_copied_files_name_their_urls(bucket, capsys):
    put(f"{bucket}/bob/run.json", b"[]")
    assert main([bucket]) == 0
    problem = f"Left out: {bucket}/bob/run.json: expected what search.run writes, got no object."
    assert capsys.readouterr().err == f"{problem}\n"


def test_files_by_url_are_read_where_they_are(run, cache):
    url = f"file://{run.parent}"
    assert open_url(url) == run.parent
    assert [r.path for r in find_runs([url]).runs] == [run]
    assert not cache.exists()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("s4://x/runs", "s4://x/runs: expected a folder, or the URL of a bucket such as s3://"),
        ("memory://nothing-there/runs", "expected a bucket .*nothing-there|none there"),
        ("file:///nothing/there", "/nothing/there: expected a run folder, got no such folder"),
    ],
)
def test_a_url_of_nothing_is_one_line(url, message, capsys):
    with pytest.raises(ConfigError, match=message):
        find_runs([url])
    assert main([url]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.skipif(bool(importlib.util.find_spec("gcsfs")), reason="gcsfs is installed here")
def test_a_missing_package_is_named():
    with pytest.raises(ConfigError, match=r"Try: pip install gcsfs$"):
        open_url("gs://bucket/runs")


def test_runs_in_s3_are_read_and_what_is_wrong_with_a_bucket_is_one_line(
    s3, run, capsys, monkeypatch
):
    system, _ = fsspec.url_to_fs("s3://team")
    system.mkdir("team")
    upload(run, "s3://team/runs/a")
    assert main(["s3://team/runs"]) == 0
    assert "2 trials" in capsys.readouterr().out
    put("s3://team/runs/a/split.csv", b"")
    mirror = open_url("s3://team/runs")
    assert isinstance(mirror, Mirror)
    assert (mirror.folder / "a" / "split.csv").read_bytes() == b""
    mirror.bring_weights(next(iter(mirror.weights)))
    assert main(["s3://missing/runs"]) == 2
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    fsspec.filesystem("s3").clear_instance_cache()
    assert main(["s3://team/runs"]) == 2
    missing, unreachable = capsys.readouterr().err.splitlines()
    assert missing.startswith("s3://missing/runs: expected ")
    assert "Could not connect to the endpoint" in unreachable
    fsspec.filesystem("s3").clear_instance_cache()

"""Images in a bucket: S3 served by moto on this machine, and memory:// of fsspec."""

import multiprocessing
import shutil
import uuid
from pathlib import Path

import fsspec
import numpy as np
import pandas as pd
import pytest

from trainable.buckets import LocalCopy
from trainable.data.cache import cache_file
from trainable.data.open_source import open_source
from trainable.data.prepared import PreparedData, prepare_data, read_data, write_data
from trainable.errors import ConfigError, SearchError
from trainable.files import write_json

URL = "s3://team/photos"
SIZE = (16, 12)


@pytest.fixture
def copied(monkeypatch) -> list[str]:
    """Return the paths in buckets of what is copied, a list that grows."""
    paths: list[str] = []
    copy = LocalCopy._copy

    def noted(self, remote, file) -> None:
        paths.append(remote.path)
        copy(self, remote, file)

    monkeypatch.setattr(LocalCopy, "_copy", noted)
    return paths


def upload(folder: Path, url: str) -> None:
    system, root = fsspec.url_to_fs(url)
    for file in folder.rglob("*"):
        if file.is_file():
            system.pipe_file(f"{root}/{file.relative_to(folder).as_posix()}", file.read_bytes())


def prepared(url: str, cache_dir: Path) -> PreparedData:
    return prepare_data(url, cache_dir=cache_dir, seed=0)


def kept(data: PreparedData, folder: Path) -> PreparedData:
    """Return the data as a worker reads it from a run folder."""
    write_json(folder / "run.json", {"data": write_data(folder, data)})
    return read_data(folder)


def files(cache_dir: Path) -> set[str]:
    """Return what is in the only copy of a cache."""
    (copy,) = (path for path in (cache_dir / "buckets").iterdir() if path.is_dir())
    return {p.relative_to(copy).as_posix() for p in copy.rglob("*") if p.is_file()}


def test_a_folder_in_a_bucket_is_as_on_a_disk_and_copied_once(
    bucket, copied, class_layout, tmp_path
):
    folder = class_layout()
    upload(folder, URL)
    bucket.pipe_file("team/photos/cat/notes.txt", b"of no use here")
    bucket.pipe_file("team/photos/top.png", b"of no class")
    bucket.pipe_file("team/photos/cat/.hidden.png", b"hidden")
    steps: list[tuple[int, int]] = []
    cache = tmp_path / "cache"
    data = prepare_data(URL, cache_dir=cache, seed=0, progress=lambda *step: steps.append(step))
    there = prepared(str(folder), tmp_path / "other")
    assert data.index.table.equals(there.index.table)
    assert data.fingerprint == there.fingerprint
    assert np.array_equal(data.images(SIZE), there.images(SIZE))
    assert files(cache) == {*data.index.table["path"], ".mirror.json"}
    assert steps == [(12, 12), (12, 12)]
    assert len(copied) == 12
    assert prepared(f"{URL}/", cache).index.root == data.index.root
    assert len(copied) == 12


def test_only_what_has_changed_is_copied_and_what_is_gone_goes(
    bucket, copied, class_layout, tmp_path
):
    upload(class_layout(), URL)
    cache = tmp_path / "cache"
    before = prepared(URL, cache)
    bucket.pipe_file("team/photos/cat/1.png", bucket.cat_file("team/photos/dog/1.png"))
    bucket.rm_file("team/photos/dog/2.png")
    copied.clear()
    after = prepared(URL, cache)
    assert copied == ["team/photos/cat/1.png"]
    assert len(after.index) == 11
    assert "dog/2.png" not in files(cache)
    assert after.fingerprint != before.fingerprint


def test_the_masks_layout_keeps_all_classes_and_brings_nothing_else(
    bucket, copied, mask_layout, tmp_path
):
    folder = mask_layout()
    for person in [*(folder / "images").glob("*_60")]:
        if "_male_" in person.name:
            shutil.rmtree(person)
    upload(folder, "s3://team/masks")
    bucket.pipe_file("team/masks/eval/0.jpg", b"no training image")
    data = prepared("s3://team/masks", tmp_path / "cache")
    assert len(data.index.classes) == 18
    assert len(copied) == len(data.index) == 20 * 7
    assert data.index.root.name == "images"


def test_a_table_brings_the_images_that_it_names(bucket, copied, class_layout, tmp_path):
    folder = class_layout()
    paths = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*.png"))[:-1]
    rows = pd.DataFrame({"path": paths, "label": [path[:3] for path in paths]})
    rows.to_csv(folder / "labels.csv", index=False)
    upload(folder, URL)
    data = prepared(f"{URL}/labels.csv", tmp_path / "cache")
    assert data.index.table["path"].tolist() == paths
    assert len(copied) == 12
    assert "dog/5.png" not in files(tmp_path / "cache")
    copied.clear()
    prepared(f"{URL}/labels.csv", tmp_path / "cache")
    assert copied == []
    bucket.rm_file("team/photos/cat/0.png")
    with pytest.raises(ConfigError, match=r"^s3://team/photos/labels\.csv: path: expected .* 1 t"):
        prepared(f"{URL}/labels.csv", tmp_path / "cache")


@pytest.mark.parametrize("path", ["../../secret.png", "/etc/passwd", "a/../../b.png", ".h/a.png"])
def test_a_table_cannot_name_what_is_not_below_it(tmp_path, write_image, path):
    write_image(tmp_path / "secret.png")
    url = f"memory://{uuid.uuid4().hex}"
    system, root = fsspec.url_to_fs(url)
    table = f"path,label\n{path},a\n{tmp_path}/secret.png,b\n"
    system.pipe_file(f"{root}/labels.csv", table.encode())
    with pytest.raises(ConfigError, match=r"labels\.csv: path: expected|below the table's folder"):
        prepared(f"{url}/labels.csv", tmp_path / "cache")
    assert not list((tmp_path / "cache").rglob("*.png"))


@pytest.mark.parametrize(
    "name", ["../evil.png", "cat/../../evil.png", "/evil.png", "cat//evil.png", "a\\..\\evil.png"]
)
def test_no_name_in_a_bucket_leads_out_of_the_copy(monkeypatch, class_layout, tmp_path, name):
    url = f"memory://{uuid.uuid4().hex}/photos"
    upload(class_layout(), url)
    system, root = fsspec.url_to_fs(url)
    listed = system.find(root, detail=True)
    evil = {f"{root}/{name}": {"size": 4, "type": "file", "created": 0}}
    monkeypatch.setattr(type(system), "find", lambda *_, **__: listed | evil)
    with pytest.raises(ConfigError, match=r"photos: expected names of images without .*evil"):
        prepared(url, tmp_path / "cache")
    assert not [*tmp_path.rglob("evil*")]


@pytest.mark.parametrize("source", [URL, "faces:people=90", "digits"])
def test_another_machine_makes_the_images_for_itself(
    bucket, copied, class_layout, tmp_path, source
):
    upload(class_layout(), URL)
    data = prepared(source, tmp_path / "cache")
    pixels = np.array(data.images(SIZE))
    shutil.rmtree(tmp_path / "cache")
    copied.clear()
    again = kept(data, tmp_path / "run")
    assert np.array_equal(again.images(SIZE), pixels)
    assert len(copied) == (12 if source == URL else 0)
    cache_file(again, SIZE).unlink()
    again.images(SIZE)
    assert len(copied) == (12 if source == URL else 0)


def test_images_of_an_earlier_search_are_renewed_on_another_machine(
    bucket, copied, class_layout, tmp_path
):
    upload(class_layout(), URL)
    prepared(URL, tmp_path / "node")
    bucket.pipe_file("team/photos/cat/1.png", bucket.cat_file("team/photos/dog/1.png"))
    data = kept(prepared(URL, tmp_path / "cache"), tmp_path / "run")
    there = prepared(URL, tmp_path / "cache").index.root.relative_to(tmp_path / "cache")
    shutil.rmtree(tmp_path / "cache" / there)
    shutil.copytree(tmp_path / "node" / there, tmp_path / "cache" / there)
    copied.clear()
    assert len(data.images(SIZE)) == 12
    assert copied == ["team/photos/cat/1.png"]


def test_images_that_have_changed_or_gone_since_are_named_as_in_the_bucket(
    bucket, class_layout, tmp_path
):
    upload(class_layout(), URL)
    data = kept(prepared(URL, tmp_path / "cache"), tmp_path / "run")
    shutil.rmtree(tmp_path / "cache")
    bucket.pipe_file("team/photos/cat/1.png", bucket.cat_file("team/photos/dog/1.png"))
    with pytest.raises(SearchError, match=r"^s3://team/photos: expected the images as when the s"):
        data.images(SIZE)
    bucket.rm_file("team/photos/cat/1.png")
    shutil.rmtree(tmp_path / "cache")
    with pytest.raises(SearchError, match=r"^s3://team/photos/cat/1\.png: expected an image as w"):
        data.images(SIZE)


def test_a_few_images_are_brought_alone_and_into_another_cache(
    bucket, copied, class_layout, tmp_path
):
    upload(class_layout(), URL)
    data = kept(prepared(URL, tmp_path / "cache"), tmp_path / "run").kept_in(tmp_path / "mine")
    copied.clear()
    data.bring(np.array([3, 5]))
    assert sorted(copied) == ["team/photos/cat/3.png", "team/photos/cat/5.png"]
    assert (tmp_path / "mine") in (data.index.root / "cat/3.png").parents
    assert (data.index.root / "cat/3.png").is_file()


def read_images(run: Path, sizes: multiprocessing.Queue) -> None:
    sizes.put(read_data(run).images(SIZE).sum())


def test_processes_that_need_the_images_at_once_all_have_them(bucket, class_layout, tmp_path):
    upload(class_layout(), URL)
    data = kept(prepared(URL, tmp_path / "cache"), tmp_path / "run")
    wanted = data.images(SIZE).sum()
    shutil.rmtree(tmp_path / "cache")
    context = multiprocessing.get_context("spawn")
    found = context.Queue()
    readers = [
        context.Process(target=read_images, args=(tmp_path / "run", found)) for _ in range(2)
    ]
    for reader in readers:
        reader.start()
    assert [found.get(timeout=300) for _ in readers] == [wanted] * 2
    for reader in readers:
        reader.join()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("s3://nowhere/photos", r"^(data )?s3://nowhere/photos: expected "),
        ("s3://team/nothing", r"^data s3://team/nothing: expected images below a folder of a buc"),
        ("s3://team/no.csv", r"^data s3://team/no\.csv: expected images below a folder of a bu"),
        ("s3://team/flat", r"^data s3://team/flat: expected a CSV or .*\(folders: 0, files: 1\)"),
        ("s3://team/mixed", r"^s3://team/mixed: expected folders of parts or of classes"),
        ("s4://team/photos", r"^s4://team/photos: expected a folder, or the URL of a bucket"),
    ],
)
def test_what_is_wrong_with_a_bucket_is_one_line_and_nothing_is_brought(
    bucket, copied, tmp_path, url, message
):
    bucket.pipe_file("team/flat/0.png", b"")
    bucket.pipe_file("team/mixed/train/a/0.png", b"")
    bucket.pipe_file("team/mixed/cat/0.png", b"")
    with pytest.raises(ConfigError, match=message) as raised:
        prepared(url, tmp_path / "cache")
    assert len(raised.value.problems) == 1
    assert copied == []


def test_a_server_that_does_not_answer_and_missing_credentials_are_one_line(
    s3, monkeypatch, tmp_path
):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    fsspec.filesystem("s3").clear_instance_cache()
    with pytest.raises(ConfigError, match=r"^(data )?s3://team/photos: expected "):
        prepared(URL, tmp_path / "cache")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    fsspec.filesystem("s3").clear_instance_cache()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "any")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")
    with pytest.raises(ConfigError, match=r"^s3://team/photos: expected .*Could not connect"):
        prepared(URL, tmp_path / "cache")


def test_a_password_in_a_url_is_refused_and_not_repeated(tmp_path):
    with pytest.raises(ConfigError, match=r"^data: expected a URL without a pass") as raised:
        prepared("ftp://me:secret@host/photos", tmp_path)
    assert "secret" not in str(raised.value)
    assert not [*tmp_path.iterdir()]


def test_a_file_by_url_is_read_where_it_is(class_layout, tmp_path):
    folder = class_layout()
    assert open_source(f"file://{folder}") == open_source(str(folder))
    with pytest.raises(
        ConfigError, match=r"data: expected an existing folder or table, got 'file"
    ):
        open_source("file:///no/such/folder")

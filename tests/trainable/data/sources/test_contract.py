"""What every source promises, tried on all of them on real files."""

import uuid
from collections.abc import Callable
from pathlib import Path

import fsspec
import pytest

from trainable.data.decode import decode_image
from trainable.data.index import PARTS, DataIndex
from trainable.data.open_source import SOURCES, open_source
from trainable.data.sources.base import Source

# The text of --data that is small and quick to read, for sources that are named.
NAMED = {"faces": "faces:people=18", "digits": "digits"}


@pytest.fixture(scope="module")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(params=[source.part_name() for source in SOURCES])
def text(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    layouts = {
        "mask_competition": "mask_layout",
        "class_folders": "class_layout",
        "table": "table_file",
    }
    if name in NAMED:
        return NAMED[name]
    if name == "bucket":
        return uploaded(request.getfixturevalue("class_layout")())
    make: Callable[[], Path] = request.getfixturevalue(layouts[name])
    return str(make())


def uploaded(folder: Path) -> str:
    """Copy a folder of images to a bucket in memory and return its URL."""
    url = f"memory://{uuid.uuid4().hex}/images"
    system, root = fsspec.url_to_fs(url)
    for image in folder.glob("*/*"):
        system.pipe_file(f"{root}/{image.relative_to(folder)}", image.read_bytes())
    return url


@pytest.fixture
def source(text: str) -> Source:
    return open_source(text)


@pytest.fixture
def index(source: Source, cache_dir: Path) -> DataIndex:
    return source.read(cache_dir)


def test_every_source_has_an_example_here() -> None:
    known = {*NAMED, "bucket", "mask_competition", "class_folders", "table"}
    assert {source.part_name() for source in SOURCES} <= known


def test_opens_by_its_text(source: Source, text: str) -> None:
    assert source == open_source(text)
    assert source.description()


def test_all_images_decode(index: DataIndex) -> None:
    assert index.root.is_absolute()
    for path in index.table["path"][::50]:
        assert decode_image(index.root / path, (8, 6)).shape == (8, 6, 3)


def test_rows_are_sorted_by_path_and_none_is_there_twice(index: DataIndex) -> None:
    paths = index.table["path"].tolist()
    assert paths == sorted(set(paths))
    assert index.table.index.tolist() == list(range(len(index)))


def test_labels_are_classes(index: DataIndex) -> None:
    assert set(index.table["label"]) <= set(index.classes)
    assert len(set(index.classes)) == len(index.classes) >= 2
    labels = index.labels()
    assert labels.dtype == int
    assert index.classes[labels[3]] == index.table["label"][3]


def test_every_row_has_a_person_and_a_known_part_or_none(index: DataIndex) -> None:
    assert (index.table["person"] != "").all()
    assert set(index.table["part"]) <= {"", *PARTS}


def test_attributes_are_columns_that_agree_with_the_class(index: DataIndex) -> None:
    for name, attribute in index.attributes.items():
        assert set(index.table[name]) <= set(attribute.values)
        if attribute.of_class is not None:
            of_row = [attribute.values[attribute.of_class[c]] for c in index.labels()]
            assert index.table[name].tolist() == of_row


def test_text_columns_hold_text_alone(index: DataIndex) -> None:
    for name in ("path", "label", "person", "part", *index.attributes):
        assert index.table[name].map(type).eq(str).all()


def test_reading_twice_gives_the_same(source: Source, index: DataIndex, cache_dir: Path) -> None:
    again = source.read(cache_dir)
    assert again.table.equals(index.table)
    assert (again.root, again.classes, again.attributes) == (
        index.root,
        index.classes,
        index.attributes,
    )

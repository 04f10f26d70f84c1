import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from trainable.data.index import PARTS
from trainable.data.prepared import PreparedData, prepare_data, read_data, write_data
from trainable.errors import ConfigError


def prepare(folder: Path, cache_dir: Path, **options: int) -> PreparedData:
    return prepare_data(str(folder), cache_dir=cache_dir, seed=options.pop("seed", 0), **options)


@pytest.fixture
def data(mask_layout, tmp_path: Path) -> PreparedData:
    return prepare(mask_layout(), tmp_path / "cache")


def written(data: PreparedData, folder: Path) -> Path:
    folder.mkdir()
    (folder / "run.json").write_text(json.dumps({"data": write_data(folder, data)}))
    return folder


def test_every_row_is_in_exactly_one_part(data: PreparedData) -> None:
    rows = np.concatenate([data.rows(part) for part in PARTS])
    assert sorted(rows.tolist()) == list(range(len(data.index)))
    assert all(len(data.rows(part)) > 0 for part in PARTS)


def test_an_unknown_part_is_refused(data: PreparedData) -> None:
    with pytest.raises(ValueError, match="expected a part of train, val, test, got 'valid'"):
        data.rows("valid")


def test_labels_are_class_numbers_and_cannot_be_written(data: PreparedData) -> None:
    labels = data.labels()
    assert data.label_space.classes[labels[0]] == data.index.table["label"][0]
    assert labels.dtype == np.int64
    with pytest.raises(ValueError, match="read-only"):
        labels[0] = 1


def test_images_are_in_the_order_of_the_rows(data: PreparedData) -> None:
    assert data.images((16, 12)).shape == (len(data.index), 16, 12, 3)


def test_what_is_read_back_is_what_was_written(data: PreparedData, tmp_path: Path) -> None:
    read = read_data(written(data, tmp_path / "run"))
    assert read.index.table.equals(data.index.table)
    assert read.index.table.dtypes.equals(data.index.table.dtypes)
    assert read.label_space == data.label_space
    assert (read.index.root, read.cache_dir) == (data.index.root, data.cache_dir)
    assert (read.fingerprint, read.source, read.warnings) == (
        data.fingerprint,
        data.source,
        data.warnings,
    )


def test_the_centre_to_use_is_read_back(class_layout, tmp_path: Path) -> None:
    data = prepare_data(str(class_layout()), cache_dir=tmp_path / "c", seed=0, crop=(8, 6))
    read = read_data(written(data, tmp_path / "run"))
    assert read.crop == data.crop == (8, 6)
    assert np.array_equal(read.images((8, 6)), data.images((8, 6)))


@pytest.mark.parametrize("said", ["8x6", [8], 8])
def test_a_damaged_centre_is_told(data: PreparedData, tmp_path: Path, said: object) -> None:
    folder = written(data, tmp_path / "run")
    record = json.loads((folder / "run.json").read_text())
    record["data"]["crop"] = said
    (folder / "run.json").write_text(json.dumps(record))
    with pytest.raises(
        ConfigError, match=r"run\.json: expected what a search writes under 'data'"
    ):
        read_data(folder)


def test_a_worker_in_another_folder_can_use_it(
    mask_layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = mask_layout()
    monkeypatch.chdir(folder.parent)
    data = prepare_data(folder.name, cache_dir=Path("cache"), seed=0)
    run_folder = written(data, tmp_path / "run")
    monkeypatch.chdir("/")
    assert read_data(run_folder).images((8, 6)).shape[1:] == (8, 6, 3)


def test_words_that_look_like_missing_values_survive(table_file, tmp_path: Path) -> None:
    table = table_file(label=["NA", "null"] * 6, camera=["None", ""] * 6)
    data = prepare(table, tmp_path / "cache")
    assert read_data(written(data, tmp_path / "run")).index.table.equals(data.index.table)


def test_the_same_seed_gives_the_same_split(mask_layout, tmp_path: Path) -> None:
    tables = [
        prepare(mask_layout(num_people=6), tmp_path / f"cache{i}", seed=seed).index.table
        for i, seed in enumerate((1, 1, 2))
    ]
    assert tables[0].equals(tables[1])
    assert not tables[0].equals(tables[2])


def test_it_goes_through_pickle(data: PreparedData) -> None:
    data.labels()
    again = pickle.loads(pickle.dumps(data))
    assert again.index.table.equals(data.index.table)


def test_a_class_of_one_person_is_refused(class_layout, write_image, tmp_path: Path) -> None:
    folder = class_layout()
    write_image(folder / "horse" / "0.png")
    with pytest.raises(ConfigError, match="class 'horse': expected at least 2 people"):
        prepare(folder, tmp_path / "cache")


def test_a_class_that_training_lacks_is_refused(class_layout, tmp_path: Path) -> None:
    folder = class_layout(parts=("train", "val", "test"))
    for image in (folder / "train" / "dog").iterdir():
        image.rename(folder / "test" / "dog" / f"moved{image.name}")
    (folder / "train" / "dog").rmdir()
    with pytest.raises(ConfigError, match=r"class 'dog': .*, got none in train"):
        prepare(folder, tmp_path / "cache")


def test_a_single_class_is_refused(tmp_path: Path, write_image) -> None:
    for number in range(4):
        write_image(tmp_path / "d" / "cat" / f"{number}.png")
    with pytest.raises(ConfigError, match="expected images of at least 2 classes, got 1"):
        prepare(tmp_path / "d", tmp_path / "cache")


def test_an_empty_validation_part_is_refused(class_layout, tmp_path: Path) -> None:
    message = r"data: expected images in val, got none \(train 2, val 0, test 2\)\. Give more"
    with pytest.raises(ConfigError, match=message):
        prepare(class_layout(num_images=2), tmp_path / "cache")


def test_an_empty_part_is_refused_for_fixed_classes_too(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"expected images in val, got none \(train 21,"):
        prepare_data("faces:people=3", cache_dir=tmp_path, seed=0)


def test_mask_layouts_with_absent_and_lonely_classes_are_taken_with_a_warning(
    mask_layout, tmp_path: Path
) -> None:
    folder = mask_layout()
    for person in (folder / "images").glob("*_male_Asian_60"):
        person.rename(tmp_path / person.name)
    one = next(tmp_path.glob("*_male_Asian_60"))
    one.rename(folder / "images" / one.name)
    data = prepare(folder, tmp_path / "cache")
    assert len(data.label_space.classes) == 18
    assert "class 'worn_male_60plus': expected at least 2 people (or images), got 1." in (
        data.warnings
    )


def test_images_left_out_are_told(mask_layout, tmp_path: Path) -> None:
    folder = mask_layout()
    broken = folder / "images" / "000000_male_Asian_25" / "mask2.jpg"
    broken.write_bytes(b"no picture")
    data = prepare(folder, tmp_path / "cache", max_broken=1)
    assert any("mask2.jpg: left out: not an image" in warning for warning in data.warnings)


def test_copies_of_another_persons_image_are_told(class_layout, tmp_path: Path) -> None:
    folder = class_layout()
    (folder / "cat" / "copy.png").write_bytes((folder / "cat" / "0.png").read_bytes())
    data = prepare(folder, tmp_path / "cache")
    assert any(w.startswith("1 images are copies of another person's") for w in data.warnings)


def test_a_cache_folder_that_cannot_be_written_is_told(class_layout, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(ConfigError, match=r"a cache folder that can be written, got .*cache"):
        prepare(class_layout(), tmp_path / "cache")


def test_a_data_path_that_cannot_be_looked_up_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"a data folder that can be read.*File name too long"):
        prepare_data("x" * 300, cache_dir=tmp_path, seed=0)


def test_a_data_folder_that_cannot_be_read_to_its_end_is_told(
    class_layout, too_deep_folder, tmp_path: Path
) -> None:
    folder = class_layout()
    too_deep_folder(folder / "cat")
    with pytest.raises(ConfigError, match=r"a data folder that can be read.*File name too long"):
        prepare(folder, tmp_path / "cache")


def test_a_missing_run_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"run\.json: expected the run file of a search, got no"):
        read_data(tmp_path)


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"data": 3}'])
def test_a_damaged_run_file_is_told(tmp_path: Path, content: str) -> None:
    (tmp_path / "run.json").write_text(content)
    with pytest.raises(ConfigError, match=r"run\.json: expected JSON with 'data'"):
        read_data(tmp_path)


def test_a_run_file_that_lacks_something_is_told(data: PreparedData, tmp_path: Path) -> None:
    folder = written(data, tmp_path / "run")
    said = json.loads((folder / "run.json").read_text())
    del said["data"]["classes"]
    (folder / "run.json").write_text(json.dumps(said))
    with pytest.raises(ConfigError, match=r"expected what a search writes .*, got no 'classes'"):
        read_data(folder)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("label,", "class,", r"split\.csv: expected columns path, label, .*, got no label"),
        (",train,", ",trian,", r"split\.csv: part: expected a known value, got 'trian'"),
        (",worn_male_under30,", ",x,", r"split\.csv: label: expected a known value, got 'x'"),
        (",25\n", ",young\n", r"split\.csv: expected a table of images"),
    ],
)
def test_a_damaged_split_is_told(
    data: PreparedData, tmp_path: Path, old: str, new: str, message: str
) -> None:
    folder = written(data, tmp_path / "run")
    text = (folder / "split.csv").read_text()
    assert old in text
    (folder / "split.csv").write_text(text.replace(old, new))
    with pytest.raises(ConfigError, match=message):
        read_data(folder)


def test_a_missing_split_is_told(data: PreparedData, tmp_path: Path) -> None:
    folder = written(data, tmp_path / "run")
    (folder / "split.csv").unlink()
    with pytest.raises(ConfigError, match=r"split\.csv: expected the split of a search, got none"):
        read_data(folder)


@pytest.mark.parametrize("path", ["../outside.png", "a/../../b.png", "/etc/passwd"])
def test_a_split_that_leads_out_of_the_images_folder_is_refused(
    data: PreparedData, tmp_path: Path, path: str
) -> None:
    folder = written(data, tmp_path / "run")
    text = (folder / "split.csv").read_text()
    (folder / "split.csv").write_text(text.replace(data.index.table["path"][0], path))
    with pytest.raises(ConfigError, match=r"path: expected paths below the images' folder, got"):
        read_data(folder)

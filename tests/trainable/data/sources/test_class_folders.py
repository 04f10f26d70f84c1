from pathlib import Path

import pytest

from trainable.data.open_source import open_source
from trainable.errors import ConfigError


def read(folder: Path):
    return open_source(str(folder)).read(folder / "cache")


def test_folder_names_are_classes_and_each_image_is_its_own_person(class_layout) -> None:
    index = read(class_layout())
    assert index.classes == ("cat", "dog")
    assert index.table["person"].tolist() == index.table["path"].tolist()
    assert set(index.table["part"]) == {""}


@pytest.mark.parametrize("val", ["val", "valid", "validation"])
def test_folders_of_parts_above_the_classes_give_the_part(class_layout, val: str) -> None:
    table = read(class_layout(parts=("train", val, "test"))).table
    assert table["part"].value_counts().to_dict() == {"train": 12, "val": 12, "test": 12}
    assert table.set_index("path").loc[f"{val}/dog/3.png", "part"] == "val"


def test_parts_beside_other_folders_are_refused(class_layout, write_image) -> None:
    folder = class_layout(parts=("train", "test"))
    write_image(folder / "extra" / "cat" / "0.png")
    message = "expected folders of parts or of classes, got test, train beside extra"
    with pytest.raises(ConfigError, match=rf"classes: {message}\. Move or rename"):
        read(folder)


def test_a_class_named_like_a_part_is_refused(class_layout, write_image) -> None:
    folder = class_layout()
    write_image(folder / "train" / "0.png")
    with pytest.raises(ConfigError, match=r"got train beside cat, dog\..* in a table"):
        read(folder)


def test_images_deeper_below_belong_to_the_class(class_layout, write_image) -> None:
    folder = class_layout()
    write_image(folder / "cat" / "2024" / "may" / "x.png")
    table = read(folder).table.set_index("path")
    assert table.loc["cat/2024/may/x.png", "label"] == "cat"


def test_whole_numbers_as_class_names_are_in_the_order_of_their_values(
    tmp_path: Path, write_image
) -> None:
    for number in range(11):
        write_image(tmp_path / "numbers" / str(number) / "0.png")
    assert read(tmp_path / "numbers").classes == tuple(str(n) for n in range(11))


def test_a_class_without_images_is_refused(class_layout) -> None:
    folder = class_layout()
    (folder / "horse").mkdir()
    with pytest.raises(ConfigError, match=r"horse: expected images of its class, got none"):
        read(folder)


def test_a_part_without_class_folders_is_refused(class_layout, write_image) -> None:
    folder = class_layout(parts=("train",))
    write_image(folder / "test" / "0.png")
    with pytest.raises(ConfigError, match=r"test: expected one folder a class, got 0 folders"):
        read(folder)

from pathlib import Path

import pytest

from trainable.data.open_source import open_source
from trainable.data.sources.mask_competition import ATTRIBUTES, CLASSES, MaskCompetition, age_group
from trainable.errors import ConfigError


def read(folder: Path):
    return open_source(str(folder)).read(folder / "cache")


def test_class_numbers_are_those_of_the_competition() -> None:
    numbers = {"worn_male_under30": 0, "worn_female_30to59": 4, "incorrect_male_60plus": 8}
    numbers |= {"without_male_under30": 12, "without_female_60plus": 17}
    assert {name: CLASSES.index(name) for name in numbers} == numbers


def test_each_class_knows_its_mask_gender_and_age() -> None:
    of_class = {name: attribute.of_class for name, attribute in ATTRIBUTES.items()}
    assert of_class["mask"] == (0,) * 6 + (1,) * 6 + (2,) * 6
    assert of_class["gender"] == (0, 0, 0, 1, 1, 1) * 3
    assert of_class["age"] == (0, 1, 2) * 6


def test_age_groups_begin_at_30_and_60() -> None:
    assert [age_group(years) for years in (29, 30, 59, 60)] == [
        "under30",
        "30to59",
        "30to59",
        "60plus",
    ]


def test_a_photo_gets_label_person_attributes_and_years(mask_layout) -> None:
    index = read(mask_layout())
    row = index.table.set_index("path").loc["000005_female_Asian_60/incorrect_mask.jpg"]
    assert row["label"] == "incorrect_female_60plus"
    assert (row["person"], row["years"]) == ("000005", 60)
    assert (row["mask"], row["gender"], row["age"]) == ("incorrect", "female", "60plus")


def test_the_folder_of_people_itself_may_be_given(mask_layout) -> None:
    folder = mask_layout()
    assert read(folder / "images").table.equals(read(folder).table)


def test_hidden_files_and_other_files_are_passed_over(mask_layout, write_image) -> None:
    folder = mask_layout()
    num_images = len(read(folder))
    person = folder / "images" / "000000_male_Asian_25"
    (person / "._mask1.jpg").write_bytes(b"finder")
    (person / "notes.txt").write_text("tired")
    assert len(read(folder)) == num_images


def test_classes_without_images_keep_their_numbers(mask_layout) -> None:
    folder = mask_layout()
    for photo in folder.rglob("incorrect_mask.jpg"):
        photo.unlink()
    index = read(folder)
    assert index.classes == CLASSES
    assert "incorrect_male_under30" not in set(index.table["label"])


def test_a_photo_with_another_name_is_refused(mask_layout, write_image) -> None:
    folder = mask_layout()
    write_image(folder / "images" / "000000_male_Asian_25" / "mask6.jpg")
    with pytest.raises(ConfigError, match=r"mask6\.jpg: expected a photo named one of mask1"):
        read(folder)


def test_a_folder_with_another_name_is_refused(mask_layout, write_image) -> None:
    folder = mask_layout()
    write_image(folder / "images" / "000099_femle_Asian_25" / "mask1.jpg")
    with pytest.raises(ConfigError, match=r"femle_Asian_25: expected a name <id>_<male or fem"):
        read(folder)


def test_folders_without_photos_are_refused(tmp_path: Path) -> None:
    (tmp_path / "000001_male_Asian_25").mkdir()
    with pytest.raises(ConfigError, match="expected photos in the folders of"):
        MaskCompetition(path=tmp_path).read(tmp_path)

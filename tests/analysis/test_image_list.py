import pandas as pd
import pytest

from analysis.image_list import read_image_list
from trainable.errors import ConfigError


def touch(*paths):
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_a_folder_gives_all_images_below_it_sorted_by_path(tmp_path):
    touch(*(tmp_path / name for name in ("b/2.PNG", "b/10.jpg", "a.webp", "notes.txt", ".x.jpg")))
    images = read_image_list(tmp_path)
    assert images.names == ("a.webp", "b/10.jpg", "b/2.PNG")
    assert images.paths[1] == tmp_path / "b" / "10.jpg"
    assert images.form is None


def test_paths_of_a_table_are_relative_to_its_folder(tmp_path):
    file = write(tmp_path / "list.csv", "path,note\nsub/b.png,x\na.png,y\n")
    images = read_image_list(file)
    assert images.names == ("sub/b.png", "a.png")
    assert images.paths == (tmp_path / "sub/b.png", tmp_path / "a.png")
    assert images.form is None


def test_images_of_a_form_are_in_the_folder_beside_it_or_in_its_own(tmp_path):
    touch(tmp_path / "images" / "a.jpg", tmp_path / "b.jpg")
    file = write(tmp_path / "info.csv", "ImageID,ans\na.jpg,0\nb.jpg,0\nc.jpg,0\n")
    images = read_image_list(file)
    assert images.paths == tuple(tmp_path / p for p in ("images/a.jpg", "b.jpg", "c.jpg"))
    assert images.form is not None


def test_without_the_column_to_fill_in_a_table_is_no_form(tmp_path):
    file = write(tmp_path / "info.csv", "ImageID\n007.jpg\n")
    assert read_image_list(file).form is None
    assert read_image_list(file).names == ("007.jpg",)


def test_the_mark_that_spreadsheets_put_first_is_no_part_of_a_column(tmp_path):
    file = write(tmp_path / "list.csv", "\ufeffpath\na.png\n")
    assert read_image_list(file).names == ("a.png",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,label\na,b\n", r"list\.csv: expected a column path or ImageID, got name, label"),
        ("path\n", r"list\.csv: expected at least one image, got no rows"),
        ("", r"list\.csv: expected a CSV or Parquet table, got 'No columns"),
        ('path\na.png\n""\n', r"list\.csv: row 2: expected a path, got an empty field"),
        ('path\n"a\n', r"list\.csv: expected a CSV or Parquet table, got"),
    ],
)
def test_a_table_that_names_no_images_is_refused(tmp_path, text, message):
    with pytest.raises(ConfigError, match=message):
        read_image_list(write(tmp_path / "list.csv", text))


def test_a_missing_path_is_refused(tmp_path):
    with pytest.raises(
        ConfigError, match="missing: expected a folder or a CSV or Parquet table, got no suc"
    ):
        read_image_list(tmp_path / "missing")


def test_a_folder_without_images_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="expected a folder with images below it, got none"):
        read_image_list(tmp_path)


def test_a_file_that_is_no_table_is_refused(tmp_path):
    touch(tmp_path / "photo.jpg")
    with pytest.raises(
        ConfigError, match=r"photo\.jpg: expected a folder or a CSV or Parquet table, got"
    ):
        read_image_list(tmp_path / "photo.jpg")


def test_a_parquet_table_is_read_like_a_csv_table(tmp_path):
    table = pd.DataFrame({"path": ["b.png", "a.png", "b.png"], "weight": [1.5, 2.5, None]})
    table.to_parquet(tmp_path / "list.parquet")
    images = read_image_list(tmp_path / "list.parquet")
    assert images.names == ("b.png", "a.png", "b.png")
    assert images.paths[0] == tmp_path / "b.png"


def test_a_parquet_table_that_is_none_or_has_an_empty_field_is_refused(tmp_path):
    file = write(tmp_path / "list.parquet", "path\na.png\n")
    with pytest.raises(ConfigError, match=r"list\.parquet: expected a CSV or Parquet table, got"):
        read_image_list(file)
    pd.DataFrame({"path": ["a.png", None]}).to_parquet(file)
    with pytest.raises(ConfigError, match="row 2: expected a path, got an empty field"):
        read_image_list(file)

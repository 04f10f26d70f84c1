from pathlib import Path

import pandas as pd
import pytest

from trainable.data.open_source import open_source
from trainable.errors import ConfigError


def read(path: Path):
    return open_source(str(path)).read(path.parent / "cache")


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_all_columns_are_taken_over(table_file, ending: str) -> None:
    columns = {
        "part": ["train"] * 6 + ["validation"] * 4 + ["test"] * 2,
        "years": [30 + n for n in range(12)],
        "camera": ["old", "new", ""] * 4,
    }
    index = read(table_file(ending, **columns))
    row = index.table.iloc[7]
    assert row.to_dict() == {
        "path": "shots/07.png",
        "label": "ill",
        "person": "p3",
        "part": "val",
        "years": 37,
        "camera": "new",
    }
    assert index.table["camera"][2] == "unknown"
    assert index.attributes["camera"].values == ("new", "old", "unknown")
    assert index.attributes["camera"].of_class is None


def test_csv_and_parquet_say_the_same(table_file) -> None:
    columns = {"grade": [1, 2] * 6, "years": [n + 20 for n in range(12)]}
    csv, parquet = (read(table_file(ending, **columns)) for ending in ("csv", "parquet"))
    assert csv.table.equals(parquet.table)
    assert csv.attributes == parquet.attributes


def test_an_attribute_with_one_value_a_class_is_determined_by_it(table_file) -> None:
    index = read(table_file(group=["b", "a"] * 6))
    assert index.attributes["group"].values == ("a", "b")
    assert index.attributes["group"].of_class == (1, 0)


def test_without_people_each_image_is_its_own(table_file) -> None:
    table = read(table_file(without=("person",))).table
    assert table["person"].tolist() == table["path"].tolist()


def test_an_empty_person_is_the_image_itself(table_file) -> None:
    table = read(table_file(person=["", "p"] * 6)).table
    assert table["person"].tolist()[:2] == ["shots/00.png", "p"]


def test_words_that_look_like_missing_values_are_words(table_file) -> None:
    assert read(table_file(label=["NA", "nan"] * 6)).classes == ("NA", "nan")


def test_the_order_of_the_rows_does_not_matter(table_file) -> None:
    path = table_file()
    first = read(path)
    pd.read_csv(path).iloc[::-1].to_csv(path, index=False)
    assert read(path).table.equals(first.table)


def test_absolute_paths_and_paths_that_leave_the_folder_are_read(
    table_file, tmp_path: Path, write_image
) -> None:
    paths = [f"./shots/{n:02d}.png" for n in range(12)]
    paths[0] = str(tmp_path / "shots" / "00.png")
    outside = write_image(tmp_path.parent / f"{tmp_path.name}-outside.png")
    paths[1] = f"../{outside.name}"
    index = read(table_file(path=paths))
    assert index.root == tmp_path.parent
    assert {outside.name, *(f"{tmp_path.name}/shots/{n:02d}.png" for n in (0, 2, 3))} <= set(
        index.table["path"]
    )
    assert all((index.root / path).is_file() for path in index.table["path"])


def test_row_numbers_that_pandas_wrote_are_no_attribute(table_file) -> None:
    path = table_file()
    pd.read_csv(path).to_csv(path)
    assert read(path).attributes == {}


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"label": ["a", ""] * 6}, r"label in line 3, 5, 7, 9, 11, \.\.\. and 1 more: expected a"),
        ({"path": [""] + ["shots/01.png"] * 11}, r"path in line 2: expected a path, got an empty"),
        ({"path": ["shots/01.png"] * 12}, r"path 'shots/01.png': expected one row, got 12"),
        ({"path": ["no.png"] + [f"shots/{n:02d}.png" for n in range(1, 12)]}, r"exist: no\.png"),
        ({"part": ["tain"] * 12}, r"got 'tain'. Did you mean 'train'\? Known: test, train, val"),
        ({"years": ["30", "old"] * 6}, r"years in line 3, .*: expected whole years"),
    ],
)
def test_wrong_fields_are_named(table_file, columns, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read(table_file(**columns))


def test_a_column_of_too_many_values_is_no_attribute(tmp_path: Path, write_image) -> None:
    rows = [
        {"path": write_image(tmp_path / f"{n}.png").name, "label": n % 2, "shot_at": n}
        for n in range(51)
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(ConfigError, match="column shot_at: expected an attribute of at most 50"):
        read(tmp_path / "t.csv")


def test_a_table_without_the_columns_is_refused(table_file) -> None:
    path = table_file(without=("label",))
    with pytest.raises(ConfigError, match="expected the columns path and label, got path, person"):
        read(path)


def test_a_table_without_rows_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("path,label\n")
    with pytest.raises(ConfigError, match="expected a row for each image, got 0 rows"):
        read(tmp_path / "t.csv")


@pytest.mark.parametrize(("name", "content"), [("t.parquet", b"no table"), ("t.csv", b"")])
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigError, match=r"expected a CSV or Parquet table, got"):
        read(tmp_path / name)

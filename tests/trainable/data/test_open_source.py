from pathlib import Path

import pytest

from trainable.data.open_source import open_source
from trainable.data.sources.digits import Digits
from trainable.data.sources.table import Table
from trainable.errors import ConfigError


def test_a_name_is_a_named_source() -> None:
    assert open_source("digits") == Digits()


def test_a_path_wins_only_when_written_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_image
) -> None:
    write_image(tmp_path / "digits" / "a" / "0.png")
    monkeypatch.chdir(tmp_path)
    assert open_source("digits") == Digits()
    assert open_source("./digits").part_name() == "class_folders"


def test_layouts_are_told_apart(mask_layout, class_layout, table_file) -> None:
    paths = [mask_layout(), class_layout(), table_file()]
    names = [open_source(str(path)).part_name() for path in paths]
    assert names == ["mask_competition", "class_folders", "table"]
    assert open_source(str(paths[2])) == Table(path=paths[2])


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"got 'digit'\. Did you mean 'digits'\?"):
        open_source("digit")


def test_an_unknown_parameter_is_refused() -> None:
    with pytest.raises(ConfigError, match="data digits:size: expected a known parameter"):
        open_source("digits:size=3")


def test_a_path_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"data: expected an existing folder or table, got"):
        open_source(str(tmp_path / "photos"))


def test_an_empty_text_is_refused() -> None:
    with pytest.raises(ConfigError, match="expected a known source, or a folder or table, got ''"):
        open_source("")


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"expected a CSV .* one folder a class.*an empty folder"
    ):
        open_source(str(tmp_path))


def test_an_unknown_layout_is_described(tmp_path: Path, write_image) -> None:
    write_image(tmp_path / "0.png")
    write_image(tmp_path / "1.png")
    (tmp_path / "no_images").mkdir()
    with pytest.raises(ConfigError, match=r"\(folders: 1, files: 2\)\. Or give 'digits'"):
        open_source(str(tmp_path))


def test_a_file_that_is_no_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data.json").write_text("[]")
    with pytest.raises(ConfigError, match=r"got a file data\.json"):
        open_source(str(tmp_path / "data.json"))

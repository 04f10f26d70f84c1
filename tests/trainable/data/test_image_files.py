"""Which files are images."""

from pathlib import Path

import pytest

from trainable.data.image_files import has_image, image_paths


def test_images_are_found_however_deep_but_not_hidden(tmp_path: Path, write_image) -> None:
    for path in ("b/c/1.png", "a.jpg", ".hidden/2.png"):
        write_image(tmp_path / path)
    assert image_paths(tmp_path) == ["a.jpg", "b/c/1.png"]
    assert has_image(tmp_path)
    (tmp_path / "empty").mkdir()
    assert not has_image(tmp_path / "empty")


def test_a_folder_that_cannot_be_read_is_an_error(tmp_path: Path, too_deep_folder) -> None:
    too_deep_folder(tmp_path)
    with pytest.raises(OSError, match="File name too long"):
        image_paths(tmp_path)

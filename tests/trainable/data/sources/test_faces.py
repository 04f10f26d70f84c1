from pathlib import Path

import pytest

from trainable.data.open_source import open_source


@pytest.mark.parametrize("damage", [Path.unlink, lambda photo: photo.write_bytes(b"")])
def test_photos_that_have_gone_are_drawn_again(tmp_path: Path, damage) -> None:
    faces = open_source("faces:people=6")
    index = faces.read(tmp_path)
    photo = index.root / index.table["path"][3]
    content = photo.read_bytes()
    damage(photo)
    assert faces.read(tmp_path).table.equals(index.table)
    assert photo.read_bytes() == content

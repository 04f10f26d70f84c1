import os
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from trainable.data.index import Attribute, DataIndex

PHOTOS = ("mask1", "mask2", "mask3", "mask4", "mask5", "incorrect_mask", "normal")
Make = Callable[..., Path]


@pytest.fixture
def write_image() -> Make:
    """Writes a small picture of its own and returns its path."""

    def write(path: Path, *, height: int = 16, width: int = 12) -> Path:
        seed = zlib.crc32(path.as_posix().encode())
        coarse = np.random.default_rng(seed).integers(0, 255, (3, 3, 3), dtype=np.uint8)
        path.parent.mkdir(parents=True, exist_ok=True)
        picture = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
        assert cv2.imwrite(str(path), picture)
        return path

    return write


@pytest.fixture
def mask_layout(tmp_path: Path, write_image: Make) -> Make:
    """Makes a folder in the mask competition's layout, four people a gender and age group."""

    def make(*, num_people: int = 4, folder: str = "masks") -> Path:
        root = tmp_path / folder
        for number in range(num_people * 6):
            gender = ("male", "female")[number % 2]
            years = (25, 30, 60)[number // 2 % 3]
            person = root / "images" / f"{number:06d}_{gender}_Asian_{years}"
            for photo in PHOTOS:
                write_image(person / f"{photo}.jpg")
        return root

    return make


@pytest.fixture
def class_layout(tmp_path: Path, write_image: Make) -> Make:
    """Makes a folder of class folders, with parts above where any are named."""

    def make(*, parts: tuple[str, ...] = ("",), num_images: int = 6) -> Path:
        root = tmp_path / "classes"
        for part in parts:
            for label in ("cat", "dog"):
                for number in range(num_images):
                    write_image(root / part / label / f"{number}.png")
        return root

    return make


@pytest.fixture
def table_file(tmp_path: Path, write_image: Make) -> Make:
    """Writes a table of 12 images of 6 people; a column given here replaces or joins it."""

    def make(ending: str = "csv", *, without: tuple[str, ...] = (), **columns: object) -> Path:
        paths = [write_image(tmp_path / "shots" / f"{n:02d}.png") for n in range(12)]
        table = pd.DataFrame(
            {
                "path": [path.relative_to(tmp_path).as_posix() for path in paths],
                "label": ["healthy", "ill"] * 6,
                "person": [f"p{n // 2}" for n in range(12)],
            }
        ).assign(**columns)
        table = table.drop(columns=list(without))
        target = tmp_path / f"table.{ending}"
        if ending == "csv":
            table.to_csv(target, index=False)
        else:
            table.to_parquet(target)
        return target

    return make


@pytest.fixture
def too_deep_folder() -> Callable[[Path], None]:
    """Makes folders so deep that not even root can list the last ones by their path."""

    def make(folder: Path) -> None:
        below = os.open(folder, os.O_RDONLY)
        for _ in range(20):
            os.mkdir("x" * 250, dir_fd=below)
            above, below = below, os.open("x" * 250, os.O_RDONLY, dir_fd=below)
            os.close(above)
        os.close(below)

    return make


@pytest.fixture
def people_index() -> Callable[..., DataIndex]:
    """Makes an index without files: people of six kinds, with three classes of photos each."""

    def make(num_people: list[int], *, photos: tuple[int, ...] = (5, 1, 1)) -> DataIndex:
        rows = []
        for kind, number in enumerate(num_people):
            for n in range(number):
                for state, times in enumerate(photos):
                    rows += [
                        {
                            "path": f"{kind}-{n}/{state}-{i}.jpg",
                            "label": f"{state}-{kind}",
                            "person": f"{kind}-{n}",
                            "part": "",
                            "kind": str(kind),
                        }
                        for i in range(times)
                    ]
        classes = tuple(f"{s}-{k}" for s in range(len(photos)) for k in range(len(num_people)))
        kinds = tuple(str(k) for k in range(len(num_people)))
        of_class = tuple(k for _ in photos for k in range(len(num_people)))
        table = pd.DataFrame(rows)
        return DataIndex(Path("/none"), table, classes, {"kind": Attribute(kinds, of_class)})

    return make

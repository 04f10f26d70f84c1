"""What all tests share: their order, one thread a process, and a small folder of images."""

import mmap
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

# Threads that wait for each other cost ten times as much; OpenMP reads these when torch loads.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

COLOURS = {"blue": (30, 60, 200), "green": (40, 180, 60), "red": (200, 40, 50)}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run slow tests first: quick ones then fill the cores that the last slow ones leave."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture
def written_memory() -> Callable[[int], mmap.mmap]:
    """Return a function that writes to so many bytes of memory that the process did not have.

    What malloc hands out may be some that it had kept, and so no more than before.
    """

    def write(num_bytes: int) -> mmap.mmap:
        memory = mmap.mmap(-1, num_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        np.frombuffer(memory, np.uint8)[:] = 1
        return memory

    return write


def write_coloured_images(folder: Path, *, num_each: int) -> None:
    """Write noisy images of 32x24 in a folder for each colour."""
    rng = np.random.default_rng(0)
    for label, colour in COLOURS.items():
        (folder / label).mkdir(parents=True)
        for number in range(num_each):
            noise = rng.normal(0, 60, size=(32, 24, 3))
            pixels = np.clip(np.array(colour) + noise, 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / label / f"{number}.png")


@pytest.fixture(scope="session")
def coloured_folder(tmp_path_factory) -> Path:
    """Return a folder of 90 noisy images, one sub-folder for each of three colours."""
    folder = tmp_path_factory.mktemp("coloured") / "images"
    write_coloured_images(folder, num_each=30)
    return folder

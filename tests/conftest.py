"""What all tests share: their order, one thread a process, and a small folder of images."""

import mmap
import os
import urllib.request
from collections.abc import Callable, Iterator
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


@pytest.fixture
def s3(monkeypatch) -> Iterator[None]:
    """Serve an S3 by moto, its address and credentials in the environment."""
    import fsspec
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    # Buckets stay in moto's memory, and a file system with the address of an earlier server.
    reset = urllib.request.Request(f"http://{host}:{port}/moto-api/reset", method="POST")
    urllib.request.urlopen(reset).close()
    fsspec.filesystem("s3").clear_instance_cache()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "any")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    yield
    fsspec.filesystem("s3").clear_instance_cache()
    server.stop()


@pytest.fixture
def bucket(s3):
    """Return the file system of an S3 that has one bucket, ``team``."""
    import fsspec

    system = fsspec.filesystem("s3", use_listings_cache=False)
    system.mkdir("team")
    return system

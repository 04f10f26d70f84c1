"""A real MLflow server on this machine, with its pages where they can be had."""

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from tests.search.cluster.conftest import free_ports

WAIT_S = 300
# mlflow-skinny is the server without its pages; these are in a package that asks for an older
# pyarrow than ours, and answer some of their questions by GraphQL.
OF_THE_PAGES = ("graphene==3.4.3", "graphql-core==3.2.14", "graphql-relay==3.2.0")


def install_pages(folder: Path) -> bool:
    """Put what MLflow's pages need into a folder of its own; return whether it could be had."""
    packages = (f"mlflow=={version('mlflow-skinny')}", *OF_THE_PAGES)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target"]
    done = subprocess.run([*command, str(folder), *packages], check=False, capture_output=True)
    return done.returncode == 0


@contextmanager
def running_mlflow(folder: Path, *, pages: Path | None = None) -> Iterator[str]:
    """Run a server that keeps all it has in a folder; yield its address.

    Args:
        folder: The folder, which is there.
        pages: Where ``install_pages`` put them, None for none.
    """
    [port] = free_ports(1)
    command = ["mlflow", "server", "--host", "127.0.0.1", "--port", port, "--workers", "1"]
    stores = ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db"]
    artifacts = ["--artifacts-destination", str(folder / "artifacts")]
    environment = os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    if pages is not None:
        environment["PYTHONPATH"] = str(pages)
    with (folder / "log.txt").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *command, *stores, *artifacts],
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=environment,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + WAIT_S
        while not _answers(url):
            assert process.poll() is None, (folder / "log.txt").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.2)
        yield url
    finally:
        os.killpg(process.pid, 15)  # its own session: the server and its worker
        process.wait()


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(f"{url}/health", timeout=5).close()
    except OSError:
        return False
    return True

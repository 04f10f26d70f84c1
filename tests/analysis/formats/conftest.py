"""A bundle of one tiny network in every format, written once for all tests."""

from pathlib import Path

import pytest

from analysis.export import main as export


@pytest.fixture(scope="session")
def graphs(tmp_path_factory, trained_run) -> Path:
    """Return a bundle of one trial as safetensors, onnx and torch-export."""
    path = tmp_path_factory.mktemp("graphs") / "bundle"
    formats = ["--format", "onnx", "--format", "torch-export"]
    assert export([str(trained_run), *formats, "--out", str(path)]) == 0
    return path

"""Importing timm where torchvision's compiled operators load, and where they do not."""

import ast
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ABSENT = "import torch\ntorch.library.register_fake('torchvision::absent')(lambda: None)\n"
# Each import of the stand-in for torchvision writes down the function that it would register with.
RECORD = "import builtins, torch\nbuiltins.seen.append(torch.library.register_fake)\n"
PROGRAM = """
import builtins, torch
original = torch.library.register_fake
builtins.seen = []
from trainable.timm_import import timm
assert torch.library.register_fake is original
assert timm.__file__
"""
NEED_TORCHVISION = {"timm", "torchmetrics", "torchvision"}


def importers():
    """Yield the modules that import torchvision, or what imports it, themselves."""
    for package in ("trainable", "analysis", "search"):
        for path in sorted((ROOT / package).rglob("*.py")):
            nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
            names = {a.name for n in nodes if isinstance(n, ast.Import) for a in n.names}
            names |= {n.module for n in nodes if isinstance(n, ast.ImportFrom) and n.module}
            if NEED_TORCHVISION & {name.partition(".")[0] for name in names}:
                yield ".".join(path.relative_to(ROOT).with_suffix("").parts)


def run(program, *paths):
    """Run a program in a new process, which looks for modules in these folders first."""
    search = [str(path) for path in (*paths, ROOT)]
    lines = f"import sys\nsys.path[:0] = {search}\n{textwrap.dedent(program)}"
    command = [sys.executable, "-c", lines]
    return subprocess.run(command, check=False, capture_output=True, text=True)


@pytest.fixture
def stand_in(tmp_path):
    """Return a function that writes a torchvision with this source, and an empty timm."""

    def write(source):
        for name in ("data", "layers", "models", "optim", "utils"):
            package = tmp_path / "timm" / name
            package.mkdir(parents=True)
            (package / "__init__.py").touch()
        (tmp_path / "timm" / "__init__.py").touch()
        (tmp_path / "torchvision").mkdir()
        (tmp_path / "torchvision" / "__init__.py").write_text(source)
        return tmp_path

    return write


def test_the_real_timm_is_imported_and_torch_left_as_it_was():
    result = run(PROGRAM + "assert timm.is_model('convnext_tiny')")
    assert result.returncode == 0, result.stderr


def test_absent_operators_are_passed_over(stand_in):
    path = stand_in(RECORD + ABSENT)
    plain = run("import builtins; builtins.seen = []; import torchvision", path)
    assert "operator torchvision::absent does not exist" in plain.stderr
    result = run(PROGRAM + "first, second = seen; assert first is original is not second", path)
    assert result.returncode == 0, result.stderr


def test_torch_is_not_touched_where_the_plain_import_works(stand_in):
    result = run(PROGRAM + "assert seen == [original]", stand_in(RECORD))
    assert result.returncode == 0, result.stderr


def test_any_other_failure_is_passed_on(stand_in):
    result = run(PROGRAM, stand_in(ABSENT.replace("torchvision::", "other::")))
    assert result.returncode == 1
    assert "RuntimeError: operator other::absent does not exist" in result.stderr


@pytest.mark.parametrize("module", list(importers()))
def test_a_module_that_needs_torchvision_can_be_imported_first(module):
    result = run(f"import {module}")
    assert result.returncode == 0, result.stderr

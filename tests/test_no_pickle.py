"""Nothing that a run folder or a bundle holds is unpickled: read from the source files."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("trainable", "analysis", "search", "spaces", "benchmarks")
FILES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
# Modules whose readers run what they read.
MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "jsonpickle"}
CALLS = {"read_pickle", "to_pickle", "unsafe_load", "full_load", "load_all", "eval", "exec"}
# A space is the user's Python; an interrupted search runs the copy of its own.
ALLOWED = {("search/space_file.py", "exec")}


def violations(source: str, name: str = "x.py") -> Iterator[str]:
    """Yield what could unpickle or run data, by line."""
    for node in ast.walk(ast.parse(source)):
        for problem in (*_imported(node), *_called(node)):
            if (name, problem) not in ALLOWED:
                yield f"{name}:{getattr(node, 'lineno', 0)}: {problem}"


def _imported(node: ast.AST) -> Iterator[str]:
    names = []
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        names = [node.module or ""]
    yield from (name for name in names if name.split(".")[0] in MODULES)


def _called(node: ast.AST) -> Iterator[str]:
    if not isinstance(node, ast.Call):
        return
    function = ast.unparse(node.func)
    last = function.rpartition(".")[2]
    arguments = {keyword.arg: keyword.value for keyword in node.keywords}
    if last in CALLS and not _is_of_model(node):
        yield last
    if function in ("torch.load", "torch.jit.load") and not _is(arguments, "weights_only", True):
        yield f"{function} without weights_only=True"
    if (
        last == "load"
        and "allow_pickle" in arguments
        and not _is(arguments, "allow_pickle", False)
    ):
        yield f"{function} with allow_pickle"
    if function == "yaml.load":
        yield function


def _is_of_model(node: ast.Call) -> bool:
    """Return whether it is ``model.eval()``, which puts a network into evaluation mode."""
    return isinstance(node.func, ast.Attribute) and node.func.attr == "eval" and not node.args


def _is(arguments: dict[str | None, ast.expr], name: str, value: bool) -> bool:
    given = arguments.get(name)
    return isinstance(given, ast.Constant) and given.value is value


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_module_unpickles_or_runs_data(path):
    name = path.relative_to(ROOT).as_posix()
    assert list(violations(path.read_text("utf-8"), name)) == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from joblib import load",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "np.load(path, allow_pickle=True)",
        "pd.read_pickle(path)",
        "yaml.load(text)",
        "yaml.unsafe_load(text)",
        "eval(text)",
    ],
)
def test_each_way_to_do_so_is_found(source):
    assert list(violations(source))


def test_what_reads_only_data_passes():
    source = "torch.load(p, weights_only=True); np.load(p, mmap_mode='r'); model.eval()"
    assert list(violations(source)) == []

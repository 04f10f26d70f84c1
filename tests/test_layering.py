"""Who may import whom, and how long files and functions may be: read from the source files."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("trainable", "analysis", "spaces", "search")
MAY_IMPORT = {
    "trainable": {"trainable"},
    "analysis": {"analysis", "trainable"},
    "spaces": {"spaces"},
    "search": {"search", "trainable", "analysis"},
}
RAY_IN_TRAINABLE = "trainable.ray_trainable"
LONGEST_FUNCTION, LONGEST_FILE = 50, 400


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


FILES = {
    module_name(path): path
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
}
MODULES = {name: ast.parse(path.read_text("utf-8")) for name, path in FILES.items()}


def imported(name: str, *, at_import: bool = False) -> Iterator[str]:
    """Yield the modules that a module imports, or only those it needs to be imported itself."""
    tree = MODULES[name]
    for node in _statements(tree) if at_import else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in MODULES else node.module


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what runs when a module is imported: no function bodies, nothing for types alone."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        yield from _statements(child)


def top(name: str) -> str:
    return name.split(".")[0]


def modules_of(package: str) -> list[str]:
    return [name for name in MODULES if top(name) == package]


def test_a_module_imports_only_packages_below_its_own():
    packages = {name: {top(other) for other in imported(name)} for name in MODULES}
    wrong = {n: p & set(PACKAGES) - MAY_IMPORT[top(n)] for n, p in packages.items()}
    assert {name: packages for name, packages in wrong.items() if packages} == {}


def test_one_module_of_trainable_imports_ray_and_none_of_analysis():
    names = (*modules_of("trainable"), *modules_of("analysis"))
    assert {n for n in names if "ray" in map(top, imported(n))} <= {RAY_IN_TRAINABLE}
    assert [n for n in modules_of("analysis") if RAY_IN_TRAINABLE in imported(n)] == []


def test_planning_and_dry_runs_never_import_ray():
    reached: set[str] = set()
    todo = ["search.plan", "search.dry_run"]
    while todo:
        name = todo.pop()
        reached.add(name)
        todo += [other for other in imported(name) if other in MODULES and other not in reached]
    assert {name for name in reached if "ray" in map(top, imported(name))} == set()


def test_a_space_imports_only_optuna_and_suggestions():
    allowed = {"optuna", "spaces.listed", "spaces.suggest", "collections.abc"}
    others = {name: set(imported(name)) - allowed for name in modules_of("spaces")}
    assert {name: imports for name, imports in others.items() if imports} == {}


def test_nothing_is_imported_in_a_circle():
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join((*path[path.index(name) :], name))
        if name not in done:
            for other in imported(name, at_import=True):
                if other in MODULES:
                    visit(other, (*path, name))
        done.add(name)

    for name in MODULES:
        visit(name, ())


def test_an_init_file_is_a_docstring_and_at_most_a_table_of_contents():
    for name in (name for name, path in FILES.items() if path.name == "__init__.py"):
        assert ast.get_docstring(MODULES[name]), name
        rest = MODULES[name].body[1:]
        assert all(isinstance(n, ast.Import | ast.ImportFrom | ast.Assign) for n in rest), name


def test_code_inside_a_family_does_not_import_from_its_own_init():
    assert [name for name in MODULES if name.rpartition(".")[0] in imported(name)] == []


def test_functions_stay_short():
    lengths = {
        f"{name}.{node.name}": (node.end_lineno or 0) - node.lineno + 1
        for name, tree in MODULES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
    }
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FUNCTION} == {}


def test_files_stay_short():
    lengths = {name: len(path.read_text("utf-8").splitlines()) for name, path in FILES.items()}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE} == {}

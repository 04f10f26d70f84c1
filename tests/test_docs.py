"""The documentation: its commands parse, its links lead somewhere, and the tutorial runs."""

import ast
import importlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pytest

from search.again import COSTS
from search.arguments import parse_arguments
from tests.conftest import COLOURS, write_coloured_images
from trainable.trial_folder import TrialFolder

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
IN_A_BLOCK = re.compile(r"^\$ (python -m .+)$", re.MULTILINE)
IN_A_LINE = re.compile(r"`(python -m [^`]+)`")
LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)")
OURS = ("search.", "analysis.", "trainable.")
# Where the parser of a command is not its module's own function.
PARSERS = {"search.run": parse_arguments}
# Words that stand for others, or for as many as one likes.
LEFT_OPEN = ("…", "⇥")
TUTORIAL = ROOT / "docs" / "tutorial.md"


def commands(page: Path) -> Iterator[list[str]]:
    """Yield the commands of a page as a shell reads them, without ``python -m``."""
    text = page.read_text(encoding="utf-8")
    for command in (*IN_A_BLOCK.findall(text), *IN_A_LINE.findall(text)):
        if not any(mark in command for mark in LEFT_OPEN):
            yield shlex.split(re.split(r"[>|&]", command)[0], comments=True)[2:]


ALL = sorted({(page.name, tuple(command)) for page in PAGES for command in commands(page)})


def test_the_pages_have_commands():
    assert len(ALL) > 40


@pytest.mark.parametrize(
    ("page", "command"),
    ALL,
    ids=lambda value: value if isinstance(value, str) else " ".join(value)[:70],
)
def test_a_command_is_one_that_its_parser_takes(page, command, tmp_path, monkeypatch):
    module, *arguments = command
    assert find_spec(module) is not None
    for word in arguments:
        if word.startswith("spaces/"):
            assert (ROOT / word).is_file()
    if not arguments or not module.startswith(OURS):
        return
    monkeypatch.chdir(tmp_path)  # some parsers look whether what they are to write can be
    monkeypatch.setattr("sys.stdout", sys.stderr)
    is_package = find_spec(module).submodule_search_locations is not None
    parse = (
        PARSERS.get(module)
        or importlib.import_module(f"{module}.__main__" if is_package else module)._parse
    )
    if "--help" in arguments or "--help-all" in arguments:
        with pytest.raises(SystemExit, match="0"):
            parse(arguments)
    else:
        parse(arguments)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file(page):
    links = {Path(link) for link in LINK.findall(page.read_text(encoding="utf-8"))}
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_index_has_every_page():
    index = ROOT / "docs" / "README.md"
    listed = LINK.findall(index.read_text(encoding="utf-8"))
    assert {page.name for page in PAGES[1:]} - {index.name} <= set(listed)


def texts_in_the_code() -> str:
    """Return every piece of text in the packages, but for docstrings, a line each."""
    found = []
    for package in ("analysis", "search", "trainable"):
        for file in (ROOT / package).rglob("*.py"):
            nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
            docs = {id(n.value) for n in nodes if isinstance(n, ast.Expr)}
            texts = (n for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str))
            found += [n.value for n in texts if id(n) not in docs]
    return "\n".join(found)


def test_messages_in_the_troubleshooting_are_those_of_the_code():
    page = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    cells = [line.split(" | ")[0] for line in page.splitlines() if line.startswith("| `")]
    messages = [message for cell in cells for message in re.findall(r"`([^`]+)`", cell)]
    assert len(messages) > 100
    said = texts_in_the_code()
    assert [message for message in messages if message not in said] == []


@pytest.fixture(scope="module")
def lesson(tmp_path_factory) -> Path:
    """Return a folder with what the tutorial begins with: photos, new ones, and a form."""
    folder = tmp_path_factory.mktemp("lesson")
    write_coloured_images(folder / "photos", num_each=20)
    write_coloured_images(folder / "new", num_each=1)
    images = folder / "eval" / "images"
    images.mkdir(parents=True)
    for number, colour in enumerate(COLOURS):
        shutil.copy(folder / "new" / colour / "0.png", images / f"{number}.png")
    form = pd.DataFrame({"ImageID": [f"{n}.png" for n in range(len(COLOURS))], "ans": ""})
    form.to_csv(folder / "eval" / "info.csv", index=False)
    (folder / "spaces").symlink_to(ROOT / "spaces")
    return folder


def run_tutorial(folder: Path) -> dict[str, str]:
    """Run each command of the tutorial there; return what it prints."""
    env = os.environ | {"PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(folder / "cache")}
    printed = {}
    for command in IN_A_BLOCK.findall(TUTORIAL.read_text(encoding="utf-8")):
        arguments = [sys.executable, *shlex.split(command)[1:]]
        done = subprocess.run(
            arguments, cwd=folder, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stderr}"
        printed[command] = done.stdout + done.stderr
    return printed


@pytest.mark.slow
def test_the_tutorial_leads_from_photos_to_a_submission(lesson):
    printed = run_tutorial(lesson)
    predicted = pd.read_csv(lesson / "predictions.csv")
    assert len(predicted) == len(COLOURS)
    assert predicted.filter(like="prob/").sum(axis=1).to_numpy() == pytest.approx(1, abs=1e-5)
    submission = pd.read_csv(lesson / "output.csv")
    assert list(submission["ImageID"]) == [f"{n}.png" for n in range(len(COLOURS))]
    assert submission["ans"].isin(range(len(COLOURS))).all()
    assert (lesson / "report.html").stat().st_size > 2**20

    # A trial that was trained again has the bits of the recorded one.
    again = next(text for command, text in printed.items() if "--from" in command)
    assert "/runs/first/trials/0001, to the last bit, in all of its " in again
    curves = [
        TrialFolder.of(lesson / "runs" / name, number).read_metrics()
        for name, number in (("first", 1), ("again", 0))
    ]
    learnt = [[{k: v for k, v in row.items() if k not in COSTS} for row in c] for c in curves]
    assert learnt[0] == learnt[1][: len(learnt[0])]
    assert len(learnt[0]) > 0

    # What goes to a pipe has no colours.
    assert [command for command, text in printed.items() if "\x1b" in text] == []

"""The commands as a shell sees them: help, completion, colours."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from analysis.dashboard import main as dashboard
from analysis.ensemble.__main__ import main as ensemble
from analysis.export import main as export
from analysis.leaderboard import main as leaderboard
from analysis.predict import main as predict
from analysis.report.__main__ import main as report
from search.refit.__main__ import main as refit
from search.run import main as search
from search.submit import main as submit
from trainable.pretrained.download import main as download

ROOT = Path(__file__).parent.parent
COMMANDS = {
    "search.run": search,
    "search.refit": refit,
    "search.submit": submit,
    "analysis.dashboard": dashboard,
    "analysis.leaderboard": leaderboard,
    "analysis.report": report,
    "analysis.ensemble": ensemble,
    "analysis.export": export,
    "analysis.predict": predict,
    "trainable.pretrained.download": download,
}
ESCAPE = "\x1b["
COLOUR = re.compile(r"\x1b\[(?:\d+;)*(?:3|4|9|10)\d")
COMPLETE = """
eval "$(activate-global-python-argcomplete --dest=- 2>/dev/null)"
COMP_LINE=$1 COMP_POINT=${#1} COMP_TYPE=9 COMP_WORDS=($1) COMPREPLY=()
[[ $1 == *" " ]] && COMP_WORDS+=("")
_python_argcomplete_global python
echo "${COMPREPLY[*]}"
"""


def helped(capsys, command: str, option: str = "--help") -> str:
    with pytest.raises(SystemExit, match="0"):
        COMMANDS[command]([option])
    return capsys.readouterr().out


@pytest.mark.parametrize("command", COMMANDS)
def test_help_fits_a_screen_or_two_and_ends_with_examples_of_the_command(capsys, command):
    text = helped(capsys, command)
    assert len(text.splitlines()) <= 60
    examples = text.partition("\nexamples:\n")[2].splitlines()
    assert [line for line in examples if line.startswith(f"  python -m {command} ")]
    assert ESCAPE not in text


def test_rare_options_are_in_the_full_help_alone_and_work_all_the_same(capsys):
    short, full = (helped(capsys, "search.run", option) for option in ("--help", "--help-all"))
    assert "--storage" not in short
    assert "when trials fail" not in short
    assert "--storage URL" in full
    assert "when trials fail:" in full
    assert "--storage" not in helped(capsys, "search.run")  # nothing of the full one stays
    assert search(["--space", "no.py", "--storage", "sqlite:///a.db"]) == 2
    assert capsys.readouterr().err.startswith("no.py: expected a space file")


def completed(line: str) -> list[str]:
    """Return what bash offers at the end of a line, after the command that README names."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "--norc", "-c", COMPLETE, "bash", line],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env=os.environ | {"PATH": path},
    )
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("python -m search.run --space a.py --sam", ["--sampler"]),
        ("python -m search.run --scheduler ", ["asha", "hyperband", "median", "none"]),
        ("python -m search.run --space spaces/qui", ["spaces/quick.py"]),
        ("python -m analysis.ensemble runs/a --me", ["--method", "--metric"]),
    ],
)
def test_bash_completes_options_choices_and_files(line, offered):
    assert completed(line) == offered


def shown_on_a_terminal(arguments: list[str], **environment: str) -> str:
    """Return what a command writes to a terminal."""
    ours, theirs = pty.openpty()
    env = os.environ | {"TERM": "xterm-256color"} | environment
    process = subprocess.Popen(
        [sys.executable, "-m", "search.run", *arguments], stdout=theirs, stderr=theirs, env=env
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            shown += os.read(ours, 4096)
        except OSError:  # so Linux says that the other end is closed
            break
    os.close(ours)
    assert process.wait() == 0, shown
    return shown.decode()


@pytest.mark.slow
def test_colours_are_for_terminals_and_not_where_no_color_is_set(coloured_folder, tmp_path):
    arguments = ["--space", str(ROOT / "spaces" / "quick.py"), "--data", str(coloured_folder)]
    arguments += ["--cache-dir", str(tmp_path), "--runs-dir", str(tmp_path), "--dry-run"]
    arguments += ["--set", "head/name=linear", "--set", "label_shift=60"]
    assert ESCAPE in shown_on_a_terminal(arguments)
    assert not COLOUR.search(shown_on_a_terminal(arguments, NO_COLOR="1"))

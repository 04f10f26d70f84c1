"""All benchmarks, one after the other: ``python -m benchmarks.all``.

Runs each in a process of its own and writes ``benchmarks/RESULTS.md``: the machine, a table, and
how each row is measured. One that fails is named there, and the others go on. ``--only NAME`` runs
one; the rows of the others stay as they are in ``RESULTS.json``. ``--quick`` runs on less, to see
that all work, and writes nothing.
"""

import argparse
import importlib
import inspect
import io
import json
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from benchmarks.side_by_side import COLUMNS
from search.run_record import git_commit
from trainable.cpus import usable_cpus

HERE = Path(__file__).parent
RESULTS = HERE / "RESULTS.md"
# In the order of the table. Each module has table(), whose columns are those of side_by_side.
BENCHMARKS = (
    "trial_switch",
    "whole_search",
    "memory_of_trials",
    "ensemble_selection",
    "driver",
    "nodes",
    "training_loop",
    "input_pipeline",
    "frozen_features",
    "predict_throughput",
)
LIBRARIES = ("ray", "optuna", "torch", "timm", "albumentations", "torchmetrics")
MOST_MINUTES = 60
FAILED = "FAILED"


@dataclass(frozen=True)
class Outcome:
    """What became of one benchmark.

    Args:
        name: Its module.
        rows: Its table, empty if it failed.
        problem: Why it failed, in a line, or "".
        seconds: What it took.
        when: Date and commit.
    """

    name: str
    rows: pd.DataFrame
    problem: str
    seconds: float
    when: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it as ``from_json`` reads it."""
        return vars(self) | {"rows": json.loads(self.rows.to_json(orient="split", index=False))}

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> "Outcome":
        """Return what ``as_json`` made."""
        return cls(**kept | {"rows": pd.DataFrame(kept["rows"]["data"], columns=list(COLUMNS))})


def main() -> int:
    """Run, print, write; return 1 if a benchmark failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=BENCHMARKS, metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--quick", action="store_true", help="on less, to see that all work")
    parser.add_argument("--table-to", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.table_to:
        _write_table(options.only, options.table_to, quick=options.quick)
        return 0
    machine = machine_lines()
    failed = False
    for name in (options.only,) if options.only else BENCHMARKS:
        outcome = outcome_of(name, quick=options.quick)
        failed = failed or bool(outcome.problem)
        print(f"\n{results_table([outcome])}\n", flush=True)
        if not options.quick:
            write(outcome, machine)
    return int(failed)


def write(outcome: Outcome, machine: Sequence[str], file: Path = RESULTS) -> None:
    """Put the outcome of a benchmark in the place of its last one.

    Args:
        outcome: The outcome.
        machine: Lines about where it ran.
        file: ``RESULTS.md``; what is in it is kept in a JSON file beside it, too.
    """
    kept_in = file.with_suffix(".json")
    kept = json.loads(kept_in.read_text()) if kept_in.exists() else {}
    kept[outcome.name] = outcome.as_json()
    outcomes = [Outcome.from_json(kept[name]) for name in BENCHMARKS if name in kept]
    kept_in.write_text(json.dumps(kept, indent=1) + "\n")
    file.write_text(results(outcomes, machine))


def outcome_of(name: str, *, quick: bool) -> Outcome:
    """Run a benchmark in a process of its own; what it prints is shown, a failure is kept."""
    start = datetime.now().astimezone()
    print(f"{start:%H:%M:%S} {name}", flush=True)
    rows, problem = pd.DataFrame(columns=list(COLUMNS)), ""
    with TemporaryDirectory() as folder:
        file = Path(folder, "table.json")
        command = [sys.executable, "-m", "benchmarks.all", "--only", name, "--table-to", str(file)]
        command += ["--quick"] if quick else []
        try:
            subprocess.run(command, check=True, timeout=60 * MOST_MINUTES)  # noqa: S603  our own
            rows = pd.read_json(io.StringIO(file.read_text()), orient="split")
        except subprocess.CalledProcessError as error:
            problem = f"exit code {error.returncode}"
        except subprocess.TimeoutExpired:
            problem = f"not done after {MOST_MINUTES} minutes"
    seconds = (datetime.now().astimezone() - start).total_seconds()
    when = f"{start:%Y-%m-%d}, commit {(git_commit() or 'unknown')[:12]}"
    return Outcome(name, rows, problem, round(seconds, 1), when)


def _write_table(name: str, file: Path, *, quick: bool) -> None:
    table = importlib.import_module(f"benchmarks.{name}").table
    takes_quick = "quick" in inspect.signature(table).parameters
    rows: pd.DataFrame = table(quick=True) if quick and takes_quick else table()
    rows[list(COLUMNS)].to_json(file, orient="split", index=False)


def results(outcomes: Sequence[Outcome], machine: Sequence[str]) -> str:
    """Return ``RESULTS.md``.

    Args:
        outcomes: What became of each benchmark.
        machine: Lines about where they ran.
    """
    parts = [
        "# Benchmarks",
        "Written by `make bench`. Both sides of a row ran in turns on the same machine; a ratio "
        "is the median of the repeats, with the least and the largest beside it.",
        "\n".join(f"- {line}" for line in machine),
        results_table(outcomes),
        "## How each is measured",
        "\n".join(_how_line(outcome) for outcome in outcomes),
    ]
    return "\n\n".join(parts) + "\n"


def results_table(outcomes: Sequence[Outcome]) -> str:
    """Return the rows of all benchmarks as a Markdown table; a failed one has a row, too."""
    lines = [
        "| what | against | ratio | range | goal | met |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for outcome in outcomes:
        if outcome.problem:
            lines.append(f"| `{outcome.name}` | | {FAILED} | {outcome.problem} | | no |")
        for row in outcome.rows.to_dict("records"):
            spread = f"{ratio_text(row['low'])} to {ratio_text(row['high'])}"
            met = "yes" if row["met"] else "**no**"
            cells = (row["what"], row["against"], f"{ratio_text(row['ratio'])} x", spread)
            lines.append(f"| {' | '.join(cells)} | {goal_text(row['goal'])} | {met} |")
    return "\n".join(lines)


def ratio_text(ratio: float) -> str:
    """Return a ratio with two decimals, from 10 on with none.

    Example:
        >>> ratio_text(3.14159), ratio_text(0.98), ratio_text(27.4), ratio_text(1234.5)
        ('3.14', '0.98', '27', '1234')
    """
    return f"{ratio:.0f}" if ratio >= 10 else f"{ratio:.2f}"


def goal_text(goal: object) -> str:
    """Return a goal in words; a number is a ratio.

    Example:
        >>> goal_text(3.0), goal_text("3 x, memory flat")
        ('3 x', '3 x, memory flat')
    """
    return f"{goal:g} x" if isinstance(goal, int | float) else str(goal)


def _how_line(outcome: Outcome) -> str:
    minutes = f"{outcome.seconds / 60:.1f} min"
    command = f"`python -m benchmarks.{outcome.name}`"
    when = f"{outcome.when}, " if outcome.when else ""
    return f"- **{outcome.name}** ({when}{minutes}, {command}): {how(outcome.name)}"


def how(name: str) -> str:
    """Return the paragraph of a benchmark's docstring that says how it measures, in a line."""
    source = (HERE / f"{name}.py").read_text()
    paragraphs = source.split('"""')[1].strip().split("\n\n")
    return " ".join(paragraphs[1].split()) if len(paragraphs) > 1 else ""


def machine_lines() -> list[str]:
    """Return what there is to know of machine and software: no name, no path."""
    load, _, _ = os.getloadavg()
    versions = ", ".join(f"{library} {version(library)}" for library in LIBRARIES)
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return [
        f"{usable_cpus()} cores of {_cpu_model()}, {memory_gib:.0f} GiB memory{_gpu()}; "
        f"load {load:.1f} as it began",
        f"Python {platform.python_version()}, {versions}",
    ]


def _cpu_model() -> str:
    file = Path("/proc/cpuinfo")
    lines = file.read_text().splitlines() if file.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()


def _gpu() -> str:
    import torch

    return f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""


if __name__ == "__main__":
    sys.exit(main())

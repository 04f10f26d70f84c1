"""``python -m analysis.leaderboard RUN…``: the trials of one or many run folders, best first."""
# PYTHON_ARGCOMPLETE_OK: shells may complete its options

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import pandas as pd
from rich.console import Console

from analysis.comparison import compare, subjects
from analysis.comparison_view import comparison_markdown, print_comparison
from analysis.criterion import At, Criterion, common_metric
from analysis.leaderboard_view import (
    best_configuration,
    failures,
    fitting_columns,
    markdown_table,
    shown_texts,
    terminal_table,
)
from analysis.output import check_output, output
from analysis.ranking import STATE_ORDER, ranking_notes, ranking_table
from analysis.run_folder import RunFolder
from analysis.run_places import HELP, find_runs
from trainable.command import ArgumentParser, positive_whole_number, run_command
from trainable.errors import ConfigError, expected

WIDTH_WITHOUT_TERMINAL = 100
SHOWN_ROWS = 20
EXAMPLES = """
python -m analysis.leaderboard runs/NAME
python -m analysis.leaderboard runs --metric val/loss --at last
python -m analysis.leaderboard s3://bucket/runs --csv trials.csv
python -m analysis.leaderboard runs/NAME --compare 7 12
python -m analysis.leaderboard --compare runs/A/trials/0007 runs/B/trials/0012
python -m analysis.leaderboard --compare runs/A runs/B
"""


def print_leaderboard(
    console: Console,
    runs: Sequence[RunFolder],
    *,
    top: int,
    criterion: Criterion | None = None,
) -> pd.DataFrame:
    """Print the first rows and what to know of them; return the whole ranking.

    Args:
        console: Where to print.
        runs: The runs.
        top: Rows shown of all runs whose values compare.
        criterion: What to rank by; None for what the search told Optuna.
    """
    table = ranking_table(runs, criterion)
    if table.empty:
        console.print("No trials yet.")
        return table
    shown = _shown(table, top)
    texts = shown_texts(shown, _metric(runs, criterion))
    fitting = fitting_columns(texts, console.width)
    console.print(terminal_table(texts[fitting]))
    lines = ["", *failures(table), *best_configuration(table), _counts(table, len(shown))]
    if hidden := [str(name) for name in texts if name not in fitting]:
        lines.append(f"Not shown: {', '.join(hidden)} (a wider terminal, --csv, --markdown do).")
    for line in (*lines, *ranking_notes(runs, table, criterion)):
        console.print(line, highlight=False, markup=False)
    return table


def _metric(runs: Sequence[RunFolder], criterion: Criterion | None) -> str:
    return runs[0].metric if criterion is None else criterion.metric


def _shown(table: pd.DataFrame, top: int) -> pd.DataFrame:
    return table.groupby("data").head(top)


def _counts(table: pd.DataFrame, num_shown: int) -> str:
    counts = table["state"].value_counts()
    states = ", ".join(f"{counts[state]} {state}" for state in STATE_ORDER if state in counts)
    hidden = f" Shown are {num_shown}: --top N shows more." if len(table) > num_shown else ""
    return f"{len(table)} trials: {states}.{hidden}"


def write_leaderboard(run: RunFolder) -> Path:
    """Write the run's ``leaderboard.csv``, every trial and column, and return its path."""
    path = run.path / "leaderboard.csv"
    _write_csv(path, ranking_table([run]))
    return path


def _write_csv(path: Path, table: pd.DataFrame) -> None:
    with output(path) as aside:
        table.to_csv(aside, index=False)


def _write_json(path: Path, content: dict[str, Any]) -> None:
    with output(path) as aside:
        aside.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n")


def _records(table: pd.DataFrame) -> list[dict[Any, Any]]:
    return table.astype(object).where(table.notna(), None).to_dict("records")


def _leaderboard_json(
    table: pd.DataFrame, runs: Sequence[RunFolder], criterion: Criterion | None
) -> dict[str, Any]:
    if criterion is None:
        ranked_by = {"metric": runs[0].metric, "higher_is_better": runs[0].higher_is_better}
    else:
        higher_is_better = criterion.objective.mode == "max"
        ranked_by = {"metric": criterion.metric, "higher_is_better": higher_is_better}
        ranked_by["at"] = criterion.at
    return {
        **ranked_by,
        "runs": [{"name": r.name, "place": r.place, "fingerprint": r.fingerprint} for r in runs],
        "notes": ranking_notes(runs, table, criterion),
        "trials": _records(table),
    }


def _write_markdown(path: Path, text: str) -> None:
    with output(path) as aside:
        aside.write_text(text + "\n")


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    about = "Rank the trials of searches."
    parser = ArgumentParser("python -m analysis.leaderboard", about, examples=EXAMPLES)
    parser.usage = "python -m analysis.leaderboard RUN… [options]"
    add = parser.add_argument
    add("runs", metavar="RUN", nargs="*", help=HELP)
    add("--metric", metavar="NAME", help="rank by a recorded metric, such as val/loss")
    add("--at", choices=get_args(At), help="with each trial's best (default) or last epoch")
    top = f"rows shown ({SHOWN_ROWS})"
    add("--top", metavar="N", type=positive_whole_number, default=SHOWN_ROWS, help=top)
    what_differs = "say what differs between two trials or two runs instead"
    add("--compare", metavar=("A", "B"), nargs=2, help=what_differs)
    add("--csv", type=Path, metavar="FILE", help="every trial and column as CSV")
    add("--json", type=Path, metavar="FILE", help="the same as JSON")
    add("--markdown", type=Path, metavar="FILE", help="the rows shown as Markdown")
    arguments = parser.parse_args(argv)
    _check(arguments)
    return arguments


def _check(arguments: argparse.Namespace) -> None:
    if not arguments.runs and not arguments.compare:
        raise ConfigError(expected("RUN", "a value", "nothing"))
    if arguments.compare and (arguments.metric or arguments.at):
        raise ConfigError(expected("--compare", "neither --metric nor --at besides", "one"))
    for file in (arguments.csv, arguments.json, arguments.markdown):
        if file is not None:
            check_output(file)


def _leaderboard(argv: Sequence[str] | None) -> int:
    arguments = _parse(argv)
    if arguments.compare:
        _compare(arguments)
        return 0
    found = find_runs(arguments.runs)
    runs, criterion = found.runs, _criterion(arguments, found.runs)
    for problem in found.problems:
        sys.stderr.write(f"{problem}\n")
    table = print_leaderboard(_console(), runs, top=arguments.top, criterion=criterion)
    if arguments.csv:
        _write_csv(arguments.csv, table)
    if arguments.json:
        _write_json(arguments.json, _leaderboard_json(table, runs, criterion))
    if arguments.markdown:
        rows = markdown_table(shown_texts(_shown(table, arguments.top), _metric(runs, criterion)))
        notes = ranking_notes(runs, table, criterion)
        _write_markdown(arguments.markdown, "\n\n".join([rows, *notes]))
    return 0


def _criterion(arguments: argparse.Namespace, runs: Sequence[RunFolder]) -> Criterion | None:
    if arguments.metric is None and arguments.at is None:
        return None
    return Criterion(arguments.metric or common_metric(runs), arguments.at or "best")


def _compare(arguments: argparse.Namespace) -> None:
    comparison = compare(*subjects(arguments.compare, arguments.runs))
    print_comparison(_console(), comparison)
    if arguments.csv:
        _write_csv(arguments.csv, comparison.table)
    if arguments.json:
        content = {"a": comparison.a, "b": comparison.b, "space": list(comparison.space)}
        _write_json(arguments.json, content | {"differences": _records(comparison.table)})
    if arguments.markdown:
        _write_markdown(arguments.markdown, comparison_markdown(comparison))


def _console() -> Console:
    is_known = sys.stdout.isatty() or "COLUMNS" in os.environ
    return Console(width=None if is_known else WIDTH_WITHOUT_TERMINAL)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return run_command(_leaderboard, argv)


if __name__ == "__main__":
    sys.exit(main())

"""``python -m analysis.leaderboard RUN…``: the trials of one or many run folders, best first."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from rich.console import Console

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
from trainable.command import ArgumentParser, positive_whole_number, run_command

WIDTH_WITHOUT_TERMINAL = 100


def print_leaderboard(console: Console, runs: Sequence[RunFolder], *, top: int) -> pd.DataFrame:
    """Print the first rows and what to know of them; return the whole ranking."""
    table = ranking_table(runs)
    if table.empty:
        console.print("No trials yet.")
        return table
    texts = shown_texts(table.head(top), runs[0].metric)
    fitting = fitting_columns(texts, console.width)
    console.print(terminal_table(texts[fitting]))
    lines = ["", *failures(table), *best_configuration(table), _counts(table, top)]
    if hidden := [str(name) for name in texts if name not in fitting]:
        lines.append(f"Not shown: {', '.join(hidden)} (a wider terminal, --csv, --markdown do).")
    for line in (*lines, *ranking_notes(runs, table)):
        console.print(line, highlight=False, markup=False)
    return table


def _counts(table: pd.DataFrame, top: int) -> str:
    counts = table["state"].value_counts()
    states = ", ".join(f"{counts[state]} {state}" for state in STATE_ORDER if state in counts)
    hidden = f" Shown are {top}: --top N shows more." if len(table) > top else ""
    return f"{len(table)} trials: {states}.{hidden}"


def write_leaderboard(run: RunFolder) -> Path:
    """Write the run's ``leaderboard.csv``, every trial and column, and return its path."""
    path = run.path / "leaderboard.csv"
    _write_csv(path, ranking_table([run]))
    return path


def _write_csv(path: Path, table: pd.DataFrame) -> None:
    with output(path) as aside:
        table.to_csv(aside, index=False)


def _write_json(path: Path, table: pd.DataFrame, runs: Sequence[RunFolder]) -> None:
    content = {
        "metric": runs[0].metric,
        "higher_is_better": runs[0].higher_is_better,
        "runs": [{"name": run.name, "fingerprint": run.fingerprint} for run in runs],
        "notes": ranking_notes(runs, table),
        "trials": table.astype(object).where(table.notna(), None).to_dict("records"),
    }
    with output(path) as aside:
        aside.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n")


def _write_markdown(path: Path, table: pd.DataFrame, runs: Sequence[RunFolder]) -> None:
    notes = ranking_notes(runs, table)
    with output(path) as aside:
        aside.write_text("\n\n".join([markdown_table(shown_texts(table, runs[0].metric)), *notes]))


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = ArgumentParser("python -m analysis.leaderboard", "Rank the trials of searches.")
    parser.add_argument("runs", metavar="RUN", nargs="+", type=Path, help="run folders")
    parser.add_argument(
        "--top", metavar="N", type=positive_whole_number, default=20, help="rows shown (20)"
    )
    parser.add_argument("--csv", type=Path, metavar="FILE", help="every trial and column as CSV")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the same as JSON")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="the rows shown as Markdown")
    arguments = parser.parse_args(argv)
    for file in (arguments.csv, arguments.json, arguments.markdown):
        if file is not None:
            check_output(file)
    return arguments


def _leaderboard(argv: Sequence[str] | None) -> int:
    arguments = _parse(argv)
    runs = [RunFolder(path) for path in arguments.runs]
    table = print_leaderboard(_console(), runs, top=arguments.top)
    if arguments.csv:
        _write_csv(arguments.csv, table)
    if arguments.json:
        _write_json(arguments.json, table, runs)
    if arguments.markdown:
        _write_markdown(arguments.markdown, table.head(arguments.top), runs)
    return 0


def _console() -> Console:
    is_known = sys.stdout.isatty() or "COLUMNS" in os.environ
    return Console(width=None if is_known else WIDTH_WITHOUT_TERMINAL)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return run_command(_leaderboard, argv)


if __name__ == "__main__":
    sys.exit(main())

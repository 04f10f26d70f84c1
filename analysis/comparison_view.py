"""How a comparison looks, in a terminal and in Markdown."""

from typing import Any

import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from analysis.comparison import Comparison
from analysis.leaderboard_view import markdown_table

OF_CLASSES = "val/class_f1/"
MOST_SPACE_LINES = 40
NOTHING = "Nothing differs."
DIFF_STYLES = {"+": "green", "-": "red", "@": "dim"}
LONGEST_NUMBER = 6


def print_comparison(console: Console, comparison: Comparison) -> None:
    """Print what differs; of long things the beginning, and how much more there is."""
    if comparison.table.empty and not comparison.space:
        console.print(f"{comparison.a} and {comparison.b}: {NOTHING}", highlight=False)
        return
    shown, notes = _shown(comparison)
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    for name in shown:
        table.add_column(str(name), overflow="fold")
    before = None
    for row in shown.itertuples(index=False):
        kind, *cells = row
        table.add_row(Text("" if kind == before else kind, "bold"), *map(Text, cells))
        before = kind
    if len(shown):
        console.print(table)
    for line in _space_lines(comparison):
        console.print(Text(line, DIFF_STYLES.get(line[:1], "")))
    for note in notes:
        console.print(note, highlight=False, markup=False)


def comparison_markdown(comparison: Comparison) -> str:
    """Return what differs as Markdown."""
    if comparison.table.empty and not comparison.space:
        return f"{comparison.a} and {comparison.b}: {NOTHING}"
    shown, notes = _shown(comparison)
    parts = [markdown_table(shown)] if len(shown) else []
    if comparison.space:
        parts.append("\n".join(["```diff", *_space_lines(comparison), "```"]))
    return "\n\n".join([*parts, *notes])


def _shown(comparison: Comparison) -> tuple[pd.DataFrame, list[str]]:
    """Return the rows shown as texts, and what is left out."""
    table = comparison.table
    of_classes = table["name"].str.startswith(OF_CLASSES)
    rows = table[~of_classes]
    shown = pd.DataFrame(
        {
            "": rows["kind"],
            "name": rows["name"],
            comparison.a: _texts(rows["a"], rows["a_is_default"]),
            comparison.b: _texts(rows["b"], rows["b_is_default"]),
        }
    )
    notes = []
    if not (table["kind"] == "hyperparameter").any() and (table["kind"] == "metric").any():
        notes.append("No hyperparameter differs.")
    if num_hidden := int(of_classes.sum()):
        notes.append(f"F1 of {num_hidden} classes differs, too: --csv and --json have them.")
    return shown, notes


def _texts(values: "pd.Series[Any]", are_defaults: "pd.Series[bool]") -> list[str]:
    pairs = zip(values, are_defaults, strict=True)
    return [f"{_text(value)} (default)" if default else _text(value) for value, default in pairs]


def _text(value: object) -> str:
    if value is None:
        return "–"
    return f"{value:.{LONGEST_NUMBER}g}" if isinstance(value, float) else str(value)


def _space_lines(comparison: Comparison) -> list[str]:
    lines = list(comparison.space)
    more = len(lines) - MOST_SPACE_LINES
    if more <= 0:
        return lines
    return [*lines[:MOST_SPACE_LINES], f"… {more} more lines: --json has them all"]

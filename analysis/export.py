"""``python -m analysis.export RUN --top K --out DIR``: the best trials of a run as a bundle."""
# PYTHON_ARGCOMPLETE_OK: shells may complete its options

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from analysis.formats.names import add_format_option, formats_to_write
from analysis.manifest import Manifest
from analysis.ranking import ranking_table
from analysis.run_folder import RunFolder
from trainable.command import ArgumentParser, positive_whole_number, run_command
from trainable.errors import ConfigError, expected
from trainable.trial_folder import trial_id

EXAMPLES = """
python -m analysis.export runs/NAME --out best
python -m analysis.export runs/NAME --top 3 --out best --format onnx
"""


def best_with_weights(run: RunFolder, top: int) -> list[int]:
    """Return the numbers of the best trials that still have their weights, best first.

    Args:
        run: The run folder.
        top: How many; fewer are returned where no more have weights.

    Raises:
        ConfigError: If no trial has weights.
    """
    table = ranking_table([run])
    ranked = [int(number) for number in table.loc[table["rank"].notna(), "trial"]]
    kept = [number for number in ranked if run.trial_folder(number).best_weights.is_file()]
    if not kept:
        what = "at least one finished trial with weights"
        got = f"none among {len(table)} trials"
        raise ConfigError(expected(str(run.path), what, got))
    return kept[:top]


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    about = "Write the best trials of a search as a bundle, checked to predict as in training."
    parser = ArgumentParser("python -m analysis.export", about, examples=EXAMPLES)
    parser.add_argument("run", metavar="RUN", type=Path, help="run folder")
    how_many = "how many trials, the best ones (1)"
    parser.add_argument("--top", metavar="K", type=positive_whole_number, default=1, help=how_many)
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="a new folder")
    add_format_option(parser)
    return parser.parse_args(argv)


def _export(argv: Sequence[str] | None) -> int:
    arguments = _parse(argv)
    formats = formats_to_write(arguments.format)
    run = RunFolder(arguments.run)
    numbers = best_with_weights(run, arguments.top)
    console = Console()
    if len(numbers) < arguments.top:
        got = f"{len(numbers)} with weights (--keep-checkpoints of search.run keeps more)"
        console.print(f"--top: expected {arguments.top} trials, got {got}.", highlight=False)
    from analysis.exporting import export_trials  # torch takes seconds to import

    weights = dict.fromkeys(numbers, 1 / len(numbers))
    chosen = _how_chosen(run, len(numbers))
    manifest = export_trials(run, weights, arguments.out, chosen=chosen, formats=formats)
    _report(console, run, manifest, arguments.out)
    return 0


def _how_chosen(run: RunFolder, num_members: int) -> str:
    best = "best trial" if num_members == 1 else f"{num_members} best trials, equally weighted"
    return f"The {best}, of the {len(run.trials)} of {run.name} by {run.metric}."


def _report(console: Console, run: RunFolder, manifest: Manifest, out: Path) -> None:
    names = dict.fromkeys([run.metric, run.metric.replace("val/", "test/"), "test/accuracy"])
    table = Table("member", *names, box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    rows = [(f"trial {trial_id(member.trial)}", member.metrics) for member in manifest.members]
    if len(rows) > 1:
        rows.append(("their average", manifest.metrics))
    for member, metrics in rows:
        table.add_row(member, *(f"{metrics[n].value:.4f}" if n in metrics else "" for n in names))
    console.print(table)
    console.print("Validation decided which trials these are, so it flatters; test did not.")
    command = f"python -m analysis.predict {out} --images FOLDER --out predictions.csv"
    console.print(f"\nWritten: {out}\nNext:    {command}", soft_wrap=True, highlight=False)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return run_command(_export, argv)


if __name__ == "__main__":
    sys.exit(main())

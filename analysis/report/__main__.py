"""``python -m analysis.report RUN``: what a search found, as one HTML file."""
# PYTHON_ARGCOMPLETE_OK: shells may complete its options

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.filesize import decimal

from analysis.output import check_output
from analysis.run_folder import RunFolder
from trainable.command import DONE, ArgumentParser, run_command
from trainable.run_files import REPORT_FILE

EXAMPLES = """
python -m analysis.report runs/NAME
python -m analysis.report runs/NAME --out report.html
"""


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    about = "Write what a search found as one HTML file that needs no network."
    parser = ArgumentParser("python -m analysis.report", about, examples=EXAMPLES)
    parser.add_argument("run", metavar="RUN", type=Path, help="run folder, finished or not")
    parser.add_argument("--out", metavar="FILE", type=Path, help=f"the file (RUN/{REPORT_FILE})")
    return parser.parse_args(argv)


def _report(argv: Sequence[str] | None) -> int:
    arguments = _parse(argv)
    run = RunFolder(arguments.run)
    out = arguments.out or run.path / REPORT_FILE
    check_output(out)
    from analysis.report.writing import write_report  # torch takes seconds to import

    path = write_report(run, out)
    sys.stdout.write(f"Written: {path}, {decimal(path.stat().st_size)}\n")
    return DONE


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return run_command(_report, argv)


if __name__ == "__main__":
    sys.exit(main())

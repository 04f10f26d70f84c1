"""``python -m analysis.ensemble RUN… --out DIR``: the best ensemble of all trials, as a bundle."""
# PYTHON_ARGCOMPLETE_OK: shells may complete its options

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from analysis.ensemble.selection import SelectionMethod
from analysis.ensemble.selection.base import SelectionPart
from analysis.formats.names import add_format_option, formats_to_write
from analysis.run_places import HELP, find_runs
from trainable.command import DONE, ArgumentParser, run_command
from trainable.errors import ConfigError, expected, requirement
from trainable.part import members

EXAMPLES = """
python -m analysis.ensemble runs/NAME --out bundle
python -m analysis.ensemble runs/ --out bundle --soup --max-members 3
python -m analysis.ensemble runs/NAME --out fast --method top_k --max-gpu-ms 2
"""
METHODS = tuple(part.part_name() for part in members(SelectionMethod))
# Options of the methods: field, option, placeholder, type, help.
METHOD_OPTIONS: tuple[tuple[str, str, str, type, str], ...] = (
    ("max_members", "--max-members", "N", int, "most members (5)"),
    ("max_ms", "--max-gpu-ms", "MS", float, "most ms an image, all members together"),
    ("rounds", "--rounds", "N", int, "greedy: votes handed out (30)"),
    ("start", "--start", "N", int, "greedy: most of the best candidates to begin with (3)"),
    ("bags", "--bags", "N", int, "greedy: random parts of the candidates to average over (1)"),
    ("bag_share", "--bag-share", "SHARE", float, "greedy: share of candidates in a part (0.5)"),
    ("seed", "--seed", "N", int, "greedy: seed of the random parts (0)"),
)


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    about = "Choose the trials that predict best together; write them as a bundle."
    parser = ArgumentParser("python -m analysis.ensemble", about, examples=EXAMPLES)
    parser.usage = "python -m analysis.ensemble RUN… --out DIR [options]"
    add = parser.add_argument
    add("runs", metavar="RUN", nargs="+", help=f"{HELP}, all with the same data")
    add("--out", metavar="DIR", type=Path, required=True, help="a new folder")
    add_format_option(parser)
    add = parser.add_argument_group("how to choose").add_argument
    add("--method", choices=METHODS, default=METHODS[0], help=f"how to choose ({METHODS[0]})")
    add("--metric", help="what to optimise (what the searches did)")
    add("--soup", action="store_true", help="try averages of weights as candidates, too")
    with_dropped = "try trials without weights, too: shows what they would add"
    add("--all-trials", action="store_true", help=with_dropped)
    for field, option, metavar, type_, text in METHOD_OPTIONS:
        add(option, dest=field, metavar=metavar, type=type_, help=text)
    return parser.parse_args(argv)


def parse_method(name: str, given: dict[str, Any]) -> SelectionPart:
    """Return a method with the options given to it.

    Args:
        name: Name of the method.
        given: Values by field.

    Raises:
        ConfigError: If the method has no such option, or a value is out of range.
    """
    adapter: TypeAdapter[SelectionPart] = TypeAdapter(SelectionMethod)
    try:
        return adapter.validate_python({"name": name, **given})
    except ValidationError as error:
        raise ConfigError([_worded(name, detail) for detail in error.errors()]) from error


def _worded(method: str, detail: Any) -> str:  # noqa: ANN401  # pydantic's dictionary
    options = {field: option for field, option, *_ in METHOD_OPTIONS}
    option = options[str(detail["loc"][-1])]
    if detail["type"] == "extra_forbidden":
        return expected(option, f"an option of --method {method}", detail["input"])
    return expected(option, requirement(detail["msg"]), detail["input"])


def _ensemble(argv: Sequence[str] | None) -> int:
    arguments = vars(_parse(argv))
    fields = [field for field, *_ in METHOD_OPTIONS]
    given = {field: arguments[field] for field in fields if arguments[field] is not None}
    method = parse_method(arguments["method"], given)
    formats = formats_to_write(arguments["format"])
    found = find_runs(arguments["runs"], finished=True)
    for problem in found.problems:
        sys.stderr.write(f"{problem}\n")
    from analysis.ensemble.making import Plan, make_ensemble  # torch takes seconds to import

    soups, dropped = arguments["soup"], arguments["all_trials"]
    plan = Plan(method, arguments["metric"], soups, dropped, formats)
    for line in make_ensemble(found.runs, plan, arguments["out"]):
        sys.stdout.write(f"{line}\n")
    return DONE


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return run_command(_ensemble, argv)


if __name__ == "__main__":
    sys.exit(main())

"""``python -m search.refit RUN --out DIR``: trains members of an ensemble again."""
# PYTHON_ARGCOMPLETE_OK: shells may complete its options

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from analysis.formats.names import add_format_option, formats_to_write
from search.interrupts import interruptible
from search.option_groups import add_resources, add_when_trials_are_tried_again
from search.option_values import absolute_folder, is_of_client, seed, whole_number
from search.options import AUTO, SearchOptions
from search.resources import LOCAL
from trainable.command import DONE, INTERRUPTED, ArgumentParser, run_command
from trainable.errors import ConfigError, expected

# torch, pandas, Optuna and Ray are imported by the functions that need them.
if TYPE_CHECKING:
    from analysis.run_folder import RunFolder

ABOUT = "Train the members of an ensemble again, on training and validation part together."
EXAMPLES = """
python -m search.refit runs/NAME --out final                  # the members of runs/NAME/ensemble
python -m search.refit runs/NAME --members 7 12 --out final   # two trials, equally weighted
python -m search.refit runs/NAME --folds 5 --out final        # five networks a member
The same command goes on after an interruption.
"""
FEWEST_FOLDS = 2
PER_TRIAL = ("cpus_per_trial", "gpus_per_trial")
OWN_OPTIONS = ("runs", "members", "folds", "fold_seed", "out", "format")


def _parse(argv: Sequence[str] | None) -> dict[str, Any]:
    parser = ArgumentParser("python -m search.refit", ABOUT, examples=EXAMPLES)
    parser.usage = "python -m search.refit RUN… --out DIR [options]"
    parser.argument_default = argparse.SUPPRESS
    add = parser.add_argument
    add("runs", metavar="RUN", nargs="+", type=Path, help="run folders with the same data")
    members = "trials such as 7 (of several runs RUN/7), or a bundle (default: RUN/ensemble)"
    add("--members", metavar="N", nargs="+", default=[], help=members)
    add("--out", metavar="DIR", type=Path, required=True, help="the bundle, a new folder")
    folds = "train each member K times without a Kth of the people, and average"
    add("--folds", metavar="K", type=whole_number, default=None, help=folds)
    add("--fold-seed", metavar="N", type=seed, default=0, help="seed of the folds (default: 0)")
    add_format_option(parser)
    resources = parser.add_argument_group("on what")
    add_resources(resources)
    weights = "folder of pretrained weights by model name (default: that of the search)"
    resources.add_argument("--weights-dir", metavar="DIR", type=absolute_folder, help=weights)
    add_when_trials_are_tried_again(parser.add_argument_group("when training fails"))
    given = vars(parser.parse_args(argv))
    if given["folds"] is not None and given["folds"] < FEWEST_FOLDS:
        raise ConfigError(expected("--folds", f"at least {FEWEST_FOLDS}", given["folds"]))
    return given


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    with interruptible():
        return run_command(_refit, argv)


def _refit(argv: Sequence[str] | None) -> int:
    argv = list(sys.argv[1:] if argv is None else argv)
    given = _parse(argv)
    console = Console(highlight=False, width=int(os.environ.get("COLUMNS", "100")))
    from analysis.agreement import check_agreement
    from analysis.bundle import check_new
    from analysis.run_folder import RunFolder
    from search.refit.bundling import refit_lines, write_refit
    from search.refit.members import read_request
    from search.refit.training import train
    from search.refit.work import open_work
    from search.run_record import locked
    from search.unwritable import worded

    check_new(given["out"])
    formats = formats_to_write(given["format"])
    runs = [RunFolder(path) for path in given["runs"]]
    check_agreement(runs)
    request = read_request(runs, given["members"])
    with worded(str(runs[0].path)):
        work = open_work(
            runs[0].path, request, runs[0].data, num_folds=given["folds"], seed=given["fold_seed"]
        )
        options = _options(runs[0], given, num_jobs=len(work.jobs))
        with locked(work.path):
            if train(work, options, console):
                sys.stderr.write(f"Interrupted. Go on with: {_command(argv)}\n")
                return INTERRUPTED
            metric = runs[0].metric
            refitted = write_refit(
                runs[0].data, request, work, given["out"], metric=metric, formats=formats
            )
            work.drop_checkpoints()
    written = _written_lines(given["out"], refitted.num_networks)
    for line in ("", *refit_lines(refitted, metric), "", *written):
        console.print(line, markup=False, soft_wrap=True)
    return DONE


def _options(run: "RunFolder", given: dict[str, Any], *, num_jobs: int) -> SearchOptions:
    """Return the options of the search with what was given in their place."""
    from search.run_record import recorded_options

    if is_of_client(given.get("address", LOCAL)):
        remedy = "Start the refit on one of its machines."
        what = "local, auto or host:port of a running cluster"
        raise ConfigError(expected("--address", what, given["address"], remedy))
    if given.get("gpus_per_trial") == AUTO:
        raise ConfigError(expected("--gpus-per-trial", "a number for a refit", AUTO))
    changes = {name: value for name, value in given.items() if name not in OWN_OPTIONS}
    own = {
        "address": LOCAL,
        "max_concurrent": None,
        "cpus_per_trial": None,
        "gpus_per_trial": None,
    }
    return recorded_options(run.path, {**own, **changes, "trials": num_jobs})


def _written_lines(out: Path, num_networks: int) -> tuple[str, ...]:
    bundle = shlex.quote(str(out))
    return (
        f"Written: {out}, {num_networks} networks trained again",
        f"Next:    python -m analysis.predict {bundle} --images FOLDER --out predictions.csv",
    )


def _command(argv: Sequence[str]) -> str:
    return f"python -m search.refit {shlex.join(argv)}"


if __name__ == "__main__":
    sys.exit(main())

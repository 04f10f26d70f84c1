"""The command line of ``search.run``: how options are written."""

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from analysis.mirror import is_url
from search.option_values import (
    absolute_folder,
    address,
    amount,
    bucket_url,
    duration_s,
    folder,
    gpus,
    height_and_width,
    is_of_client,
    number_or_share,
    pin,
    reduction_factor,
    run_name,
    runs_folder,
    seed,
    share,
    storage_url,
    trackers,
    whole_number,
)
from search.options import (
    CHANGEABLE_AGAIN,
    CHANGEABLE_ON_RESUME,
    RARE,
    SamplerName,
    SchedulerName,
)
from trainable.command import ArgumentParser, positive_whole_number
from trainable.errors import ConfigError, expected

DESCRIPTION = "Search for the best image classifier: suggest, train, stop early, rank."
EXAMPLES = """
python -m search.run --space spaces/quick.py
python -m search.run --space spaces/quick.py --data photos/ --trials 100 --time-budget 2h
python -m search.run --space spaces/quick.py --set optimizer/name=adamw --set resize=128x96
python -m search.run --space spaces/quick.py --dry-run
python -m search.run --resume runs/NAME --trials 200
python -m search.run --from runs/NAME/trials/0007
"""


@dataclass(frozen=True)
class GivenOptions:
    """What the command line says, before a space or a run folder to go on with is read.

    Args:
        values: Options by the name of their field in ``SearchOptions``; only those given.
        resume: The run folder to go on with, if any.
        bucket: The URL of the run folder to go on with, where it is in a bucket.
        again: The recorded trial to train again, if any.
        dry_run: Whether to check and print only.
        folder: Folder on the cluster that relative paths are meant from, where one was given.
    """

    values: dict[str, Any]
    resume: Path | None = None
    bucket: str | None = None
    again: str | None = None
    dry_run: bool = False
    folder: Path | None = None

    @property
    def goes_elsewhere(self) -> bool:
        """Return whether the search is to be sent to a cluster, by the address of its client."""
        return not self.dry_run and is_of_client(self.values.get("address", "local"))


def parse_arguments(argv: Sequence[str] | None = None) -> GivenOptions:
    """Read the command line of ``search.run``.

    Args:
        argv: Arguments without the program's name; those of the process when None.

    Raises:
        ConfigError: If an option is unknown (the nearest known is named), a value is wrong, or
            options contradict each other.
    """
    values = vars(_parser().parse_args(argv))
    dry_run, resume = values.pop("dry_run", False), values.pop("resume", None)
    again, there = values.pop("from", None), values.pop("folder", None)
    address_given = values.get("address", "local")
    if there is not None and not is_of_client(address_given):
        what = "--address ray://HOST:PORT with it"
        raise ConfigError(expected("--folder", what, address_given))
    values["pins"] = _pins(values.pop("set", []))
    if not values["pins"]:
        del values["pins"]
    if resume is not None:
        _check_resume(values, resume=resume, again=again, dry_run=dry_run)
    elif again is not None:
        _check_besides("--from", values, CHANGEABLE_AGAIN, why=f"The rest is as in {again}.")
    elif "space" not in values:
        remedy = "Give a file such as spaces/quick.py, --resume RUN, or --from RUN/trials/ID."
        raise ConfigError(expected("--space", "a space file", "nothing", remedy))
    if resume is not None and is_url(resume):
        return GivenOptions(values=values, bucket=resume, folder=there)
    here = None if resume is None else Path(resume)
    return GivenOptions(values, resume=here, again=again, dry_run=dry_run, folder=there)


def _check_besides(
    option: str, values: Iterable[str], allowed: Sequence[str], *, why: str
) -> None:
    """Refuse options beside one that says what holds for them.

    Raises:
        ConfigError: If one is given that is not allowed.
    """
    if fixed := [name for name in values if name not in allowed]:
        what = f"nothing besides but {', '.join(map(_option_name, allowed))}"
        raise ConfigError(expected(option, what, ", ".join(map(_option_name, fixed)), why))


def _check_resume(values: Iterable[str], *, resume: str, again: str | None, dry_run: bool) -> None:
    given = [*values, *(["dry_run"] if dry_run else []), *(["from"] if again else [])]
    why = f"The rest stays as recorded in {resume}."
    _check_besides("--resume", given, CHANGEABLE_ON_RESUME, why=why)


def _option_name(field: str) -> str:
    names = {
        "pins": "--set",
        "time_budget_s": "--time-budget",
        "trial_timeout_s": "--trial-timeout",
    }
    return names.get(field, "--" + field.replace("_", "-"))


def _pins(given: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    pins = dict(given)
    if len(pins) < len(given):
        names = [name for name, _ in given]
        raise ConfigError(
            [
                expected(f"--set {name}", "to be given once", f"{names.count(name)} values")
                for name in pins
                if names.count(name) > 1
            ]
        )
    return pins


def _parser() -> ArgumentParser:
    parser = ArgumentParser("python -m search.run", DESCRIPTION, examples=EXAMPLES, rare=RARE)
    parser.usage = "python -m search.run --space FILE [options]"
    # What was not given is absent, so that the space or a run's record can decide.
    parser.argument_default = argparse.SUPPRESS
    _add_what(parser.add_argument_group("what to search"))
    _add_data(parser.add_argument_group("from what"))
    _add_how_long(parser.add_argument_group("how long"))
    resources = parser.add_argument_group("on what")
    add_resources(resources)
    _add_folder(resources)
    _add_when_trials_fail(parser.add_argument_group("when trials fail"))
    _add_where(parser.add_argument_group("where it is kept"))
    return parser


def _add_what(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--space", metavar="FILE", type=Path, help="file with space(trial)")
    group.add_argument(
        "--from",
        metavar="RUN/trials/ID",
        help="train one recorded trial again: same data, split, seed and configuration",
    )
    group.add_argument(
        "--set",
        metavar="NAME=VALUE",
        type=pin,
        action="append",
        help="fix a hyperparameter, such as optimizer/lr=1e-4; may be repeated",
    )
    group.add_argument(
        "--metric", metavar="NAME", help="what to search for, such as val/loss (default: val/f1)"
    )
    group.add_argument(
        "--seed",
        metavar="N",
        type=seed,
        help="seed of split and suggestions; trial n trains with N + n (default: 0)",
    )
    group.add_argument(
        "--sampler",
        choices=get_args(SamplerName),
        help="what suggests configurations (default: tpe)",
    )
    group.add_argument(
        "--cost-aware",
        action="store_true",
        help="prefer what promises most a second, with tpe (default: what promises most)",
    )
    group.add_argument(
        "--warm-start",
        metavar="RUN",
        type=Path,
        nargs="+",
        help="let the sampler learn from the trials of earlier runs",
    )
    group.add_argument(
        "--dry-run", action="store_true", help="check and print everything, run nothing"
    )


def _add_data(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--data",
        metavar="SOURCE",
        help="faces, digits, a folder of images, or a CSV or Parquet table (default: faces)",
    )
    group.add_argument(
        "--max-broken",
        metavar="N",
        type=whole_number,
        help="pass over up to N unreadable images (default: 0)",
    )
    group.add_argument(
        "--center-crop",
        metavar="HxW",
        type=height_and_width,
        help="use only the centre of every image, such as 320x256 (default: all of it)",
    )
    group.add_argument(
        "--weights-dir",
        metavar="DIR",
        type=absolute_folder,
        help="folder of pretrained weights by model name (default: timm's hub)",
    )


def _add_how_long(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--trials",
        metavar="N",
        type=positive_whole_number,
        help="number of trials (default: what the space recommends, else 50)",
    )
    group.add_argument(
        "--max-epochs",
        metavar="N",
        type=positive_whole_number,
        help="longest training of a trial (default: what the space recommends, else 30)",
    )
    group.add_argument(
        "--time-budget",
        metavar="TIME",
        dest="time_budget_s",
        type=duration_s,
        help="longest time of the search, such as 2h, 90m or 1h30m (default: no limit)",
    )
    group.add_argument(
        "--grace-period",
        metavar="N",
        type=positive_whole_number,
        help="epochs before a trial may be stopped (default: what the space recommends, else 2)",
    )
    group.add_argument(
        "--reduction-factor",
        metavar="N",
        type=reduction_factor,
        help="one in N trials goes on at each rung (default: what the space recommends, else 3)",
    )
    group.add_argument(
        "--scheduler",
        choices=get_args(SchedulerName),
        help="what stops trials early (default: asha)",
    )


def add_resources(group: argparse._ArgumentGroup) -> None:
    """Add the options that say on what trials run."""
    group.add_argument(
        "--cpus-per-trial",
        metavar="X",
        type=amount,
        help="CPU cores of a trial (default: 1; with GPUs an even share)",
    )
    group.add_argument(
        "--gpus-per-trial",
        metavar="X",
        type=gpus,
        help="GPUs of a trial, a share of one such as 0.25, or auto for the share that each is "
        "measured to need (default: 1 where there are any)",
    )
    group.add_argument(
        "--max-concurrent",
        metavar="N",
        type=number_or_share,
        help="most trials at a time, or a share of those that fit such as 50%% (default: as many "
        "as fit)",
    )
    group.add_argument(
        "--address",
        metavar="ADDRESS",
        type=address,
        help="local for a private Ray, auto or host:port for a running cluster, ray://host:port "
        "to send the search to one from elsewhere and follow it here (default: local)",
    )


def add_when_trials_are_tried_again(group: argparse._ArgumentGroup) -> None:
    """Add the options that say when a trial is given up."""
    group.add_argument(
        "--max-failures",
        metavar="N",
        type=whole_number,
        help="times a trial is tried again after its process died or hung (default: 2)",
    )
    group.add_argument(
        "--trial-timeout",
        metavar="TIME",
        dest="trial_timeout_s",
        type=duration_s,
        help="time without an epoch after which a trial hangs (default: 20 times the longest "
        "epoch, at least 10m, 1h before a first one)",
    )


def _add_when_trials_fail(group: argparse._ArgumentGroup) -> None:
    add_when_trials_are_tried_again(group)
    group.add_argument(
        "--max-failed-share",
        metavar="SHARE",
        type=share,
        help="stop when more than this share of trials has failed (default: 0.5)",
    )


def _add_where(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--name",
        metavar="NAME",
        type=run_name,
        help="name of the run folder (default: space, date and time)",
    )
    group.add_argument(
        "--runs-dir", metavar="DIR", type=runs_folder, help="folder of run folders (default: runs)"
    )
    group.add_argument(
        "--resume",
        metavar="RUN",
        help="go on with a run folder; a larger --trials or --time-budget extends it, --space "
        "changes what is suggested from then on",
    )
    group.add_argument(
        "--copy-to",
        metavar="URL",
        type=bucket_url,
        help="keep a copy of the run folder in a bucket, below a folder such as s3://bucket/runs; "
        "--resume s3://bucket/runs/NAME goes on with it on another machine",
    )
    group.add_argument(
        "--storage",
        metavar="URL",
        type=storage_url,
        help="database for the study, such as postgresql://… (default: a file in the run folder)",
    )
    group.add_argument(
        "--keep-checkpoints",
        metavar="K",
        type=positive_whole_number,
        help="keep the weights of the K best trials (default: 10)",
    )
    group.add_argument(
        "--log-to",
        metavar="NAMES",
        type=trackers,
        help="tensorboard, mlflow, wandb, or several as mlflow,wandb; TensorBoard's files are "
        "written in any case (default: tensorboard)",
    )
    group.add_argument(
        "--cache-dir",
        metavar="DIR",
        type=folder,
        help="folder for drawn data and decoded images (default: the user's cache)",
    )


def _add_folder(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--folder",
        metavar="DIR",
        type=Path,
        help="with --address ray://…: folder on the cluster that relative paths are meant from "
        "(default: this one)",
    )

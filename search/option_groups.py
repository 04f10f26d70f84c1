"""The options of ``search.run``, and of what trains on Ray besides, by the groups of --help."""

import argparse
from pathlib import Path
from typing import get_args

from search.option_values import (
    absolute_folder,
    address,
    amount,
    bucket_url,
    byte_size,
    duration_s,
    folder,
    gpus,
    height_and_width,
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
from search.options import SamplerName, SchedulerName
from trainable.command import ArgumentParser, positive_whole_number

DESCRIPTION = "Search for the best image classifier: suggest, train, stop early, rank."
EXAMPLES = """
python -m search.run --space spaces/quick.py
python -m search.run --space spaces/quick.py --data photos/ --trials 100 --time-budget 2h
python -m search.run --space spaces/quick.py --set optimizer/name=adamw --set resize=128x96
python -m search.run --space spaces/quick.py --dry-run
python -m search.run --resume runs/NAME --trials 200
python -m search.run --from runs/NAME/trials/0007
"""
# What most searches do without, and --help, too; --help-all has it.
RARE = frozenset(
    {
        "--seed",
        "--sampler",
        "--cost-aware",
        "--warm-start",
        "--max-broken",
        "--center-crop",
        "--weights-dir",
        "--grace-period",
        "--reduction-factor",
        "--scheduler",
        "--cpus-per-trial",
        "--max-concurrent",
        "--max-failures",
        "--trial-timeout",
        "--max-failed-share",
        "--runs-dir",
        "--storage",
        "--copy-to",
        "--keep-checkpoints",
        "--cache-dir",
        "--cache-limit",
        "--folder",
    }
)


def search_parser() -> ArgumentParser:
    """Return what reads the command line of ``search.run``; what is not given is absent."""
    parser = ArgumentParser("python -m search.run", DESCRIPTION, examples=EXAMPLES, rare=RARE)
    parser.usage = "python -m search.run --space FILE [options]"
    # So that the space or a run's record can decide.
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
        help="faces, digits, a folder of images, or a CSV or Parquet table, also by a URL such as "
        "s3://bucket/photos (default: faces)",
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
    _add_run_folder(group)
    _add_what_is_kept(group)


def _add_run_folder(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--name",
        metavar="NAME",
        type=run_name,
        help="name of the run folder (default: space, date and time)",
    )
    group.add_argument(
        "--runs-dir",
        metavar="DIR",
        type=runs_folder,
        help="folder of run folders, on a disk or in a bucket such as s3://bucket/runs, which is "
        "kept up from here (default: runs)",
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
        help="keep a copy of --runs-dir's run folder in a bucket, below such as s3://bucket/runs; "
        "--resume s3://bucket/runs/NAME goes on with it on another machine",
    )


def _add_what_is_kept(group: argparse._ArgumentGroup) -> None:
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
    _add_cache(group)


def _add_cache(group: argparse._ArgumentGroup) -> None:
    place = "folder for drawn, brought and decoded images (default: the user's cache)"
    group.add_argument("--cache-dir", metavar="DIR", type=folder, help=place)
    most = (
        "most that it may take on each machine, such as 20GiB: of what no process uses, what was "
        "not used for longest is deleted for what is new (default: no limit)"
    )
    group.add_argument("--cache-limit", metavar="SIZE", type=byte_size, help=most)


def _add_folder(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--folder",
        metavar="DIR",
        type=Path,
        help="with --address ray://…: folder on the cluster that relative paths are meant from "
        "(default: this one)",
    )

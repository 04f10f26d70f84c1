"""The command line of ``search.run``: what is given, and what contradicts itself."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from search.option_groups import search_parser
from search.option_values import is_of_client
from search.options import CHANGEABLE_AGAIN, CHANGEABLE_ON_RESUME
from trainable.buckets import is_url
from trainable.errors import ConfigError, expected


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
    values = vars(search_parser().parse_args(argv))
    dry_run, resume = values.pop("dry_run", False), values.pop("resume", None)
    again, there = values.pop("from", None), values.pop("folder", None)
    address = values.get("address", "local")
    if there is not None and not is_of_client(address):
        raise ConfigError(expected("--folder", "--address ray://HOST:PORT with it", address))
    _check_buckets(values)
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


def _check_buckets(values: dict[str, Any]) -> None:
    """Have a search whose run folder is to be in a bucket work here and keep that up from here.

    Raises:
        ConfigError: If a copy in a second bucket is asked for.
    """
    runs_dir = values.get("runs_dir")
    if not isinstance(runs_dir, str):
        return
    if "copy_to" in values:
        remedy = "Give --runs-dir a folder, or leave --copy-to out."
        raise ConfigError(expected("--copy-to", "one bucket", "another in --runs-dir", remedy))
    values["copy_to"] = values.pop("runs_dir")


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

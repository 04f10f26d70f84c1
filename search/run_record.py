"""The record of a search: its run folder, ``run.json``, and the lock of the one who runs it."""

import getpass
import json
import os
import platform
import shlex
import subprocess
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout
from optuna.trial import TrialState
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from search.defaults import DEFAULTS, changed_since, current_defaults
from search.option_values import masked
from search.options import SearchOptions
from search.versions import versions_of
from trainable.errors import ConfigError, expected, requirement
from trainable.files import write_json, written_aside
from trainable.nearby import nearest_path
from trainable.run_files import KEPT_FILES, RECORD_FILE, SPACE_FILE

if TYPE_CHECKING:
    from analysis.study_place import StudyPlace
    from search.plan import SearchPlan

LOCK_FILE = ".lock"
# Of a run that trains a recorded trial again: which one.
AGAIN = "trains_again"
# Which defaults differ from those of the last run in the same folder of runs.
DEFAULTS_CHANGED = "defaults_changed"
PACKAGES = (
    "classifier-search",
    "ray",
    "optuna",
    "torch",
    "torchvision",
    "timm",
    "albumentations",
    "torchmetrics",
    "adamp",
    "numpy",
    "pandas",
    "opencv-python-headless",
)
COMMAND = ("python", "-m", "search.run")


def create_run_folder(plan: "SearchPlan", argv: Sequence[str]) -> Path:
    """Write the run folder of a new search: record, copy of the space, split, and study.

    The folder appears whole: another search of the same name fails here at the latest, and a
    kill leaves nothing that looks like a run folder.

    Args:
        plan: The plan of the search.
        argv: The arguments it was started with.

    Returns:
        The folder.

    Raises:
        ConfigError: If a folder of this name has appeared meanwhile, or cannot be written.
    """
    from search.kept_files import keep_files
    from search.open_study import open_study
    from trainable.data.prepared import write_data

    try:
        with written_aside(plan.run_folder) as aside:
            (aside / "trials").mkdir(parents=True)
            (aside / SPACE_FILE).write_text(plan.space.source, encoding="utf-8")
            record = _record(plan, argv, data=write_data(aside, plan.data))
            write_json(aside / RECORD_FILE, {**record, KEPT_FILES: keep_files(aside, plan)})
            study = open_study(plan, aside)
            study.bring_in(plan.earlier)
            study.close()
    except OSError as error:
        what = "a folder that can be made"
        raise ConfigError(expected(str(plan.run_folder), what, error.strerror)) from error
    return plan.run_folder


def record_resume(plan: "SearchPlan", argv: Sequence[str]) -> Path:
    """Note in the record of a search that it goes on, when, how, and with which options.

    A changed space takes the place of ``space.py``, which stays as ``space-1.py`` and so on.

    Returns:
        The run folder.
    """
    record = read_record(plan.run_folder)
    record["options"] = plan.options.model_dump(mode="json")
    record["resources"] = asdict(plan.resources)
    record["data"]["cache_limit"] = plan.data.cache_limit  # workers read it there
    entry = {
        "at": now(),
        "command": _command(argv),
        **_who_and_how(),
        "first_trial": _num_begun(plan.run_folder),
    }
    space = plan.run_folder / SPACE_FILE
    if space.read_text(encoding="utf-8") != plan.space.source:
        entry["space_until_then"] = _replace_space(space, plan.space.source).name
    record.setdefault("resumed", []).append(entry)
    write_json(plan.run_folder / RECORD_FILE, record)
    return plan.run_folder


def _replace_space(path: Path, source: str) -> Path:
    """Write the run folder's copy of the space anew and return where the old one is kept."""
    number = 1
    while (kept := path.with_stem(f"{path.stem}-{number}")).exists():
        number += 1
    for file, text in ((kept, path.read_text(encoding="utf-8")), (path, source)):
        with written_aside(file) as aside:
            aside.write_text(text, encoding="utf-8")
    return kept


def read_record(run_folder: Path) -> dict[str, Any]:
    """Return what ``run.json`` says.

    Raises:
        ConfigError: If the folder is no run folder, or the record cannot be read.
    """
    path = run_folder / RECORD_FILE
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        what = f"a run folder with {RECORD_FILE}"
        got, remedy = _what_is_there(run_folder), nearest_path(run_folder)
        raise ConfigError(expected(str(run_folder), what, got, remedy)) from None
    except ValueError as error:
        raise ConfigError(expected(str(path), "the record of a search", str(error))) from error
    if not isinstance(record, dict) or not isinstance(record.get("options"), dict):
        what = "the record of a search, with its options"
        raise ConfigError(expected(str(path), what, "something else"))
    return record


def recorded_options(run_folder: Path, changes: Mapping[str, Any]) -> SearchOptions:
    """Return the options that a search was recorded with.

    Args:
        run_folder: The run folder.
        changes: Options that replace recorded ones, by field name.

    Raises:
        ConfigError: If the record lacks an option, or has one that there is not.
    """
    recorded = read_record(run_folder)["options"]
    return checked_options(run_folder / RECORD_FILE, {**recorded, **changes})


def checked_options(record: Path, values: Mapping[str, Any]) -> SearchOptions:
    """Return options that a record has, by field name.

    Raises:
        ConfigError: If one that is needed lacks, is not as it must be, or is none that there is.
    """
    try:
        return SearchOptions.model_validate(values)
    except ValidationError as error:
        raise ConfigError([_worded(record, detail) for detail in error.errors()]) from error


def _worded(path: Path, detail: ErrorDetails) -> str:
    where = f"{path}: options/{'/'.join(map(str, detail['loc']))}"
    if detail["type"] == "missing":
        return expected(where, "a value", "none")
    if detail["type"] == "extra_forbidden":
        return expected(where, "no such option", repr(detail["input"]))
    return expected(where, requirement(detail["msg"]), repr(detail["input"]))


def _what_is_there(folder: Path) -> str:
    return "a folder without" if folder.is_dir() else "no such folder"


@contextmanager
def locked(run_folder: Path) -> Iterator[None]:
    """Hold the lock of a run folder, so that no second process runs the same search.

    Raises:
        ConfigError: If another process holds it, or the folder cannot be written to.
    """
    lock = FileLock(run_folder / LOCK_FILE, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        what = "a search that nothing runs at the moment"
        got = "one that another process is running"
        raise ConfigError(expected(str(run_folder), what, got)) from None
    except OSError as error:
        what = "a folder that can be written to"
        raise ConfigError(expected(str(run_folder), what, f"'{error.strerror}'")) from error
    try:
        yield
    finally:
        lock.release()


def _record(plan: "SearchPlan", argv: Sequence[str], *, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "options": plan.options.model_dump(mode="json"),
        "study": asdict(_study_place(plan.options)),
        "resources": asdict(plan.resources),
        "metric": plan.objective.metric,
        "mode": plan.objective.mode,
        "seed": plan.options.seed,
        "data": data,
        **_who_and_how(),
        "started_at": now(),
        "command": _command(argv),
        **_defaults(plan),
        **_trained_again(plan),
    }


def _defaults(plan: "SearchPlan") -> dict[str, Any]:
    defaults = current_defaults()
    since = changed_since(plan.options.runs_dir, defaults)
    return {DEFAULTS: {**defaults, "space": plan.space.recommended}, DEFAULTS_CHANGED: since}


def _trained_again(plan: "SearchPlan") -> dict[str, Any]:
    if plan.again is None:
        return {}
    from search.again import record_of

    return {AGAIN: record_of(plan.again)}


def _who_and_how() -> dict[str, Any]:
    commit = git_commit()
    return {
        "versions": installed_versions(),
        "git_commit": commit,
        "git_dirty": None if commit is None else has_uncommitted_changes(),
        "hardware": hardware(),
        "user": _user(),
    }


def _num_begun(run_folder: Path) -> int:
    """Return the number that the next trial gets which nothing has run yet."""
    from analysis.run_folder import RunFolder

    trials = RunFolder(run_folder).trials
    begun = (t.number for t in trials if t.state is not TrialState.WAITING)
    return 1 + max(begun, default=-1)


def _study_place(options: SearchOptions) -> "StudyPlace":
    from analysis.study_place import StudyPlace

    if options.storage is None:
        return StudyPlace()
    # Others may have a run of this name in the same database.
    return StudyPlace(options.storage, f"{options.name}-{uuid.uuid4().hex[:8]}")


def _command(argv: Sequence[str]) -> str:
    return shlex.join([*COMMAND, *map(masked, argv)])


def now() -> str:
    """Return the time in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def installed_versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that results depend on."""
    return {"python": platform.python_version(), **versions_of(PACKAGES)}


def git_commit() -> str | None:
    """Return the commit of the working directory, None outside of a repository."""
    return _git("rev-parse", "HEAD")


def has_uncommitted_changes() -> bool | None:
    """Return whether files that git follows differ from the commit, None where git cannot say."""
    changed = _git("status", "--porcelain", "--untracked-files=no")
    return None if changed is None else bool(changed)


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603  # the arguments are ours
            ["git", *arguments],  # noqa: S607  # the user's git, wherever it is
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def hardware() -> dict[str, Any]:
    """Return what the machine is: system, processor, cores, memory, GPUs."""
    import torch

    pages = os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 0
    page_bytes = os.sysconf("SC_PAGE_SIZE") if pages else 0
    num_gpus = torch.cuda.device_count()
    return {
        "host": platform.node(),
        "system": platform.platform(),
        "processor": platform.machine(),
        "cpus": os.cpu_count(),
        "memory_gib": round(pages * page_bytes / 2**30, 1),
        "gpus": [torch.cuda.get_device_name(number) for number in range(num_gpus)],
    }


def _user() -> str | None:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        return None

"""``--from RUN/trials/ID``: a recorded trial trained again, and whether its curve is the same."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.member import read_config
from analysis.provenance import sitting_of
from analysis.run_folder import RunFolder
from analysis.run_places import find_runs
from search.kept_files import kept_copy
from search.run_record import checked_options, hardware, installed_versions
from search.space_file import AUGMENTATION_FILE, Space, flattened, parse_space
from trainable.config import TrialConfig
from trainable.errors import ConfigError, expected
from trainable.nearby import nearest
from trainable.run_files import RECORD_FILE
from trainable.trial_folder import TrialFolder, trial_id

OPTION = "--from"
PLACE = re.compile(r"(?P<run>.+?)/+(?:trials/+)?(?P<number>\d+)/*")
# What an epoch cost, which says nothing of what was learnt in it.
COSTS = frozenset({"seconds", "images_per_s", "gpu_memory_peak", "num_micro_batches"})
# Options that decide what a trial learns, or when it is given up.
TAKEN_OVER = (
    "data",
    "max_broken",
    "center_crop",
    "seed",
    "metric",
    "weights_dir",
    "max_failures",
    "trial_timeout_s",
)


@dataclass(frozen=True)
class RecordedTrial:
    """A trial of a run, as it was recorded.

    Args:
        run: The run.
        number: The trial's number.
        config: Its whole configuration, what was a default then included.
    """

    run: RunFolder
    number: int
    config: TrialConfig

    @property
    def folder(self) -> TrialFolder:
        """Return where the trial's files are."""
        return self.run.trial_folder(self.number)

    @property
    def place(self) -> str:
        """Return what the trial is called on screen."""
        return f"{self.run.place.rstrip('/')}/trials/{trial_id(self.number)}"

    @property
    def name(self) -> str:
        """Return the beginning of the name of a run that trains it again."""
        return _name(self.run.name, self.number)


def read_recorded(text: str) -> RecordedTrial:
    """Return the trial that a user means by ``RUN/trials/0007`` or ``RUN/7``.

    Args:
        text: The folder of a trial, on disk or in a bucket.

    Raises:
        ConfigError: If there is no such run or trial, or the trial never began.
    """
    match = _place(text)
    found = find_runs([match["run"]]).runs
    if len(found) > 1:
        what = f"one run folder, with its {RECORD_FILE}, at {match['run']}"
        raise ConfigError(expected(OPTION, what, f"{len(found)} below it"))
    run, number = found[0], int(match["number"])
    file = run.trial_folder(number).config
    if not file.is_file():
        names = [path.parent.name for path in run.path.glob(f"trials/*/{file.name}")]
        remedy = nearest(trial_id(number), names)
        what = f"a trial of {run.place} that has begun"
        raise ConfigError(expected(OPTION, what, trial_id(number), remedy))
    return RecordedTrial(run, number, read_config(file))


def name_again(text: str) -> str:
    """Return the beginning of the name of a run that trains a trial again, without reading it.

    Raises:
        ConfigError: If the text is no trial's place.
    """
    match = _place(text)
    return _name(Path(match["run"]).name, int(match["number"]))


def _name(run: str, number: int) -> str:
    return f"{run.replace('/', '-')}-trial-{trial_id(number)}"


def _place(text: str) -> re.Match[str]:
    match = PLACE.fullmatch(text)
    if match is None:
        raise ConfigError(expected(OPTION, "a trial such as runs/NAME/trials/0007", repr(text)))
    return match


def options_again(trial: RecordedTrial, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that train a trial again, by field name, but for name and place.

    The trial gets the CPU cores and GPUs that it had, since the number of threads decides how
    sums are rounded.

    Args:
        trial: The trial.
        changes: Options that were given, by field name.

    Raises:
        ConfigError: If what the run recorded is damaged.
    """
    recorded = trial.run.facts.get("options", {})
    kept = {name: recorded[name] for name in TAKEN_OVER if name in recorded}
    needed = {"space": trial.folder.config, "name": trial.name, "cache_dir": trial.folder.path}
    checked_options(trial.run.path / RECORD_FILE, {**kept, **needed})
    resources = trial.run.facts.get("resources", {})
    shared = resources.get("per_gpu") is not None
    return {
        **kept,
        "cpus_per_trial": resources.get("cpus_per_trial"),
        "gpus_per_trial": 1.0 if shared else resources.get("gpus_per_trial"),
        "space": trial.folder.config,
        "trials": 1,
        "max_epochs": trial.config.epochs,
        "grace_period": 1,
        "scheduler": "none",
        "sampler": "random",
        **changes,
    }


def space_again(trial: RecordedTrial) -> Space:
    """Return a space with one configuration, that of a recorded trial."""
    lines = [
        f'"""Trial {trial_id(trial.number)} of {trial.run.name}, every value as recorded."""',
        "",
        "",
        "def space(trial):",
    ]
    config = flattened(trial.config.model_dump(mode="json"))
    for name, value in config.items():
        single = "x".join(map(str, value)) if isinstance(value, list) else value
        if name == AUGMENTATION_FILE:
            single = kept_copy(trial.run.path, trial.run.facts, str(value))
        lines.append(f"    trial.suggest_categorical({name!r}, [{single!r}])")
    return parse_space("\n".join([*lines, ""]), trial.folder.config, home=trial.folder.path)


def record_of(trial: RecordedTrial) -> dict[str, Any]:
    """Return what run.json keeps of the trial that a run trains again."""
    place = trial.run.place
    return {
        "run": place if trial.run.mirror else str(trial.run.path.resolve()),
        "trial": trial.number,
    }


def comparison(again: Mapping[str, Any], folder: TrialFolder) -> list[str]:
    """Return, a line each, whether a trial's curve is that of the recorded one, and if not, why.

    Args:
        again: What ``record_of`` returned.
        folder: The trial that has been trained again.
    """
    try:
        recorded = read_recorded(f"{again['run']}/{again['trial']}")
    except ConfigError as error:
        return [f"Curve:   not compared: {problem}" for problem in error.problems]
    old, new = recorded.folder.read_metrics(), folder.read_metrics()
    num_epochs = min(len(old), len(new))
    if not num_epochs:
        return [f"Curve:   not compared: {recorded.place} has no whole epoch."]
    found = next(_differences(old, new), "")
    if found:
        return [f"Curve:   not that of {recorded.place}: {found}.", *_reasons(recorded)]
    same = f"Curve:   that of {recorded.place}, to the last bit, in all of its {num_epochs} epochs"
    if len(new) > len(old):
        return [f"{same}; it was ended there, this one went on to epoch {len(new)}."]
    return [f"{same}."]


Row = Mapping[str, float]


def _differences(old: list[dict[str, float]], new: list[dict[str, float]]) -> Iterator[str]:
    for before, after in zip(old, new, strict=False):
        for name in (name for name in before if name in after and name not in COSTS):
            both = before[name], after[name]
            if both[0] != both[1] and not all(map(math.isnan, both)):
                yield f"from epoch {before['epoch']:g} on, {name} {both[1]!r}, not {both[0]!r}"


def _reasons(trial: RecordedTrial) -> Iterator[str]:
    """Yield in what this machine differs from the one of a recorded trial."""
    sitting = sitting_of(trial.run.facts, trial.number)
    here = {**installed_versions(), **_machine(hardware())}
    there = {**sitting.versions, **_machine(sitting.hardware)}
    different = [
        f"{name} {value}, not {there[name]}"
        for name, value in here.items()
        if name in there and value != there[name]
    ]
    if different:
        yield f"         Here is {'; '.join(different)}."
    else:
        yield (
            "         Versions and machine are the same; another number of CPU cores, or a GPU "
            "without deterministic=true, rounds otherwise."
        )


def _machine(said: Mapping[str, Any]) -> dict[str, Any]:
    return {name: said[name] for name in ("host", "processor", "cpus", "gpus") if name in said}

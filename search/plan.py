"""The plan of a search: every check of what it was given, before anything is written or started.

What takes long to import is imported inside the functions, so that a wrong option or a space that
does not load is answered at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from search.arguments import GivenOptions
from search.options import SearchOptions, check_options, resolve_options
from search.resources import LOCAL, Resources, available_here, missing_gpus, share_out
from search.run_record import recorded_options
from search.space_file import Space, load_space
from trainable.errors import ConfigError, expected, unknown
from trainable.objective import Objective, recorded_metrics
from trainable.run_files import SPACE_FILE

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

    from search.again import RecordedTrial
    from search.space_check import SpaceCheck
    from trainable.data.index import LabelSpace
    from trainable.data.prepared import PreparedData


@dataclass(frozen=True)
class SearchPlan:
    """All that a search needs to start, checked.

    Args:
        options: Every option as resolved.
        space: What to search.
        data: The images, who is in which part.
        resources: What each trial gets.
        objective: What is searched for.
        check: What sampling the space showed, such as the sizes of images it needs.
        resumes: Whether the run folder exists and the search goes on in it.
        earlier: Finished trials of other searches, for the sampler to learn from.
        notes: What the user should know before it runs, a line each.
        again: The recorded trial that is trained again, if that is all.
    """

    options: SearchOptions
    space: Space
    data: PreparedData
    resources: Resources
    objective: Objective
    check: SpaceCheck
    resumes: bool = False
    earlier: tuple[FrozenTrial, ...] = ()
    notes: tuple[str, ...] = ()
    again: RecordedTrial | None = None

    @property
    def run_folder(self) -> Path:
        """Return the folder where the search keeps everything."""
        return self.options.run_folder


def make_plan(
    given: GivenOptions, progress: Callable[[int, int], None] | None = None
) -> SearchPlan:
    """Check everything that a search was given; write nothing but the cache of data.

    Args:
        given: The options of the command line.
        progress: Called with (images scanned, images in all).

    Raises:
        ConfigError: With every problem that could be found together.
    """
    if given.resume is not None:
        return _plan_on(given.resume, given.values)
    if given.again is not None:
        return _plan_again(given.again, given.values, progress)
    space = load_space(given.values["space"])
    options = resolve_options(given.values, space.recommended, name="")
    if not options.name:
        options = options.model_copy(update={"name": new_name(space.name, options.runs_dir)})
    options = _with_parsed_pins(options)
    resources, check = _check_without_data(options, space)
    data = _prepare_data(options, progress)
    problems: list[str] = []
    with _collected(problems):
        check_metric(options.metric, data.label_space)
    with _collected(problems):
        from search.fit_check import check_fit

        check_fit(check.configs.values(), data)
    with _collected(problems):
        _check_cache(data, check)
    with _collected(problems):
        from search.warm_start import earlier_trials

        earlier = earlier_trials(options, space, data)
    if problems:
        raise ConfigError(problems)
    objective = Objective(options.metric)
    plan = SearchPlan(options, space, data, resources, objective, check)
    notes = (*_resource_notes(plan), *earlier.notes)
    return replace(plan, earlier=earlier.trials, notes=notes)


def _plan_again(
    text: str, values: Mapping[str, Any], progress: Callable[[int, int], None] | None
) -> SearchPlan:
    """Plan to train a recorded trial again, on the images and the split that it had."""
    from search.again import options_again, read_recorded, space_again
    from search.fit_check import check_fit
    from trainable.data.prepared import read_data

    trial = read_recorded(text)
    space = space_again(trial)
    options = resolve_options(options_again(trial, values), {}, name=values.get("name", ""))
    if not options.name:
        options = options.model_copy(update={"name": new_name(trial.name, options.runs_dir)})
    resources, check = _check_without_data(options, space)
    recorded, found = read_data(trial.run.path), _prepare_data(options, progress)
    if found.fingerprint != recorded.fingerprint:
        wanted = f"the images of {trial.run.place} (fingerprint {recorded.fingerprint})"
        remedy = "Where the same images have moved, --data says where to."
        got = f"others in {options.data} ({found.fingerprint})"
        raise ConfigError(expected("data", wanted, got, remedy))
    data = replace(found, index=replace(recorded.index, root=found.index.root))
    check_fit(check.configs.values(), data)
    _check_cache(data, check)
    objective = Objective(options.metric)
    plan = SearchPlan(options, space, data, resources, objective, check, again=trial)
    return replace(plan, notes=_resource_notes(plan))


def _plan_on(run_folder: Path, changes: dict[str, Any]) -> SearchPlan:
    """Plan to go on with a run folder, options as recorded there but for the changes."""
    here = run_folder if run_folder.name not in ("", "..") else run_folder.resolve()
    place = {"runs_dir": here.parent, "name": here.name}
    options = recorded_options(run_folder, {**place, **changes})
    check_options(options)
    file = changes.get("space", run_folder / SPACE_FILE)
    space = load_space(file, home=options.space.parent)
    options = _with_parsed_pins(options)
    resources, check = _check_without_data(options, space, resumes=True)
    from trainable.data.prepared import read_data, worded

    data = replace(read_data(run_folder), cache_limit=options.cache_limit)
    with worded(data.cache_dir, data.cache_limit):
        data.bring()
    _check_cache(data, check)
    objective = Objective(options.metric)
    plan = SearchPlan(options, space, data, resources, objective, check, resumes=True)
    changed = _check_changed_space(plan) if "space" in changes else ()
    return replace(plan, notes=(*_resource_notes(plan), *changed))


def _resource_notes(plan: SearchPlan) -> tuple[str, ...]:
    is_known = plan.resources.available is not None
    return missing_gpus(plan.options, plan.resources) if is_known else ()


def _check_changed_space(plan: SearchPlan) -> tuple[str, ...]:
    """Check that a search can go on with the space of the plan; return what is different."""
    before = load_space(plan.run_folder / SPACE_FILE, home=plan.space.home)
    if before.source == plan.space.source:
        return ()
    from analysis.run_folder import RunFolder
    from search.fit_check import check_fit
    from search.space_change import check_compatible, differences

    trials = RunFolder(plan.run_folder).trials
    options, new = plan.options, plan.check.dimensions
    problems: list[str] = []
    with _collected(problems):
        check_compatible(new, trials)
    with _collected(problems):
        check_pretrained(options, plan.space, plan.check)
    with _collected(problems):
        check_fit(plan.check.configs.values(), plan.data)
    if problems:
        raise ConfigError(problems)
    old = _check_space(before, options).dimensions
    return tuple(f"space: {line}." for line in differences(old, new, trials))


def _with_parsed_pins(options: SearchOptions) -> SearchOptions:
    """Return options whose pins are as a trial reads them, as they are to be compared and kept."""
    from search.pins import parsed_pins

    return options.model_copy(update={"pins": parsed_pins(options.pins)})


def new_name(space: str, runs_dir: Path) -> str:
    """Return a name of space, date and time, numbered where that exists already."""
    now = datetime.now().astimezone()
    stem = f"{re.sub(r'[^A-Za-z0-9._-]', '-', space)}-{now:%Y%m%d-%H%M%S}"
    name, number = stem, 2
    while (runs_dir / name).exists():
        name, number = f"{stem}-{number}", number + 1
    return name


@contextmanager
def _collected(problems: list[str]) -> Iterator[None]:
    try:
        yield
    except ConfigError as error:
        problems.extend(error.problems)


def _check_without_data(
    options: SearchOptions, space: Space, *, resumes: bool = False
) -> tuple[Resources, SpaceCheck]:
    """Check what does not depend on the data, and report all of it together."""
    problems: list[str] = []
    with _collected(problems):
        if resumes:
            check_writable(options.run_folder, "--resume")
        else:
            check_place(options)
    with _collected(problems):
        check_pinned_epochs(options)
    with _collected(problems):
        if options.storage is not None:
            from analysis.study_place import check_storage

            check_storage(options.storage)
    with _collected(problems):
        from search.trackers.make import check_trackers

        check_trackers(options.log_to)
    with _collected(problems):
        available = available_here() if options.address == LOCAL else None
        resources = share_out(options, available)
    with _collected(problems):
        check = _check_space(space, options)
        if not resumes:
            check_pretrained(options, space, check)
    if problems:
        raise ConfigError(problems)
    return resources, check


def _check_space(space: Space, options: SearchOptions) -> SpaceCheck:
    from search.space_check import check_space

    return check_space(space, pins=options.pins, max_epochs=options.max_epochs, seed=options.seed)


def check_place(options: SearchOptions) -> None:
    """Check that the run folder can be made.

    Raises:
        ConfigError: If it exists, or the folder above it cannot be written to.
    """
    run_folder = options.run_folder
    if run_folder.exists():
        remedy = f"Go on with it by --resume {run_folder}, or choose another name."
        raise ConfigError(expected("--name", "a new name", f"{run_folder}, which exists", remedy))
    above = next(folder for folder in run_folder.absolute().parents if folder.exists())
    check_writable(above, "--runs-dir")


def check_writable(folder: Path, option: str) -> None:
    """Check that a folder can be written to.

    Args:
        folder: The folder.
        option: The option that it comes from.

    Raises:
        ConfigError: If it cannot.
    """
    try:
        # Only writing tells: permissions say nothing of read-only file systems, nor to root.
        with TemporaryDirectory(prefix=".search-", dir=folder):
            pass
    except OSError as error:
        got = f"{folder} ({error.strerror})"
        raise ConfigError(expected(option, "a folder that can be written to", got)) from error


def check_pinned_epochs(options: SearchOptions) -> None:
    """Check that trials are not pinned to more epochs than they may have.

    Raises:
        ConfigError: If they are.
    """
    epochs = options.pins.get("epochs")
    if isinstance(epochs, int) and epochs > options.max_epochs:
        limit = f"at most --max-epochs {options.max_epochs}"
        remedy = "Give --max-epochs instead."
        raise ConfigError(expected("--set epochs", limit, epochs, remedy))


def check_pretrained(options: SearchOptions, space: Space, check: SpaceCheck) -> None:
    """Check that the weights of every backbone of a space can be had.

    Raises:
        ConfigError: With a problem for each that cannot.
    """
    from search.pretrained import backbones_of, check_weights

    check_weights(backbones_of(space, check, options.pins), options.weights_dir)


def _prepare_data(
    options: SearchOptions, progress: Callable[[int, int], None] | None
) -> PreparedData:
    from trainable.data.prepared import prepare_data

    return prepare_data(
        options.data,
        cache_dir=options.cache_dir,
        seed=options.seed,
        max_broken=options.max_broken,
        crop=options.center_crop,
        cache_limit=options.cache_limit,
        progress=progress,
    )


def _check_cache(data: PreparedData, check: SpaceCheck) -> None:
    from search.cache_room import check_cache_limit

    check_cache_limit(data, check.sizes)


def check_metric(metric: str, labels: LabelSpace) -> None:
    """Check that a metric is one that trials record on the validation part.

    Raises:
        ConfigError: If it is not; the nearest known is named.
    """
    known = recorded_metrics(labels)
    if metric not in known:
        raise ConfigError(unknown("--metric", "a metric of the validation part", metric, known))

"""``--warm-start RUN…``: the trials of earlier searches, for the sampler to learn from."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from optuna.trial import FixedTrial, FrozenTrial, TrialState, create_trial

from analysis.run_folder import RunFolder
from analysis.study_file import BEST_EPOCH, CONFIG, FROM, REASON, SECONDS
from search.options import SearchOptions
from search.space_check import Run
from search.space_file import Space, flattened
from trainable.config import TrialConfig, parse_config
from trainable.data.prepared import PreparedData, read_data
from trainable.errors import ConfigError, expected
from trainable.trial_folder import trial_id

LEARNT_FROM = (TrialState.COMPLETE, TrialState.PRUNED)
KEPT = (CONFIG, REASON, SECONDS, BEST_EPOCH)
# What says nothing about how good a configuration is.
NOT_COMPARED = {"epochs": 1, "seed": 0}


@dataclass(frozen=True)
class EarlierTrials:
    """What earlier searches have tried, as far as this one could have.

    Args:
        trials: Finished trials, with the distributions of this search's space; ``from`` among
            their attributes says whose they are.
        notes: What the user should know of them, a line each.
    """

    trials: tuple[FrozenTrial, ...] = ()
    notes: tuple[str, ...] = ()


def earlier_trials(options: SearchOptions, space: Space, data: PreparedData) -> EarlierTrials:
    """Read the trials of the runs that ``--warm-start`` names.

    A trial is taken in with its state, values and attributes if the space could suggest its
    configuration under the present pins. Stages of a search (rungs) do not count them.

    Args:
        options: The options of the search that is to begin.
        space: Its space.
        data: Its data.

    Raises:
        ConfigError: If a run is none, searched for another metric or other classes, or if none
            of its trials can be taken in.
    """
    problems: list[str] = []
    taken: list[FrozenTrial] = []
    notes: list[str] = []
    for path in dict.fromkeys(path.resolve() for path in options.warm_start):
        try:
            run = RunFolder(path)
            notes += _differences(run, options, data)
            of_run = _suggestible(run, options, space)
            notes.append(_counted(run, of_run))
        except ConfigError as error:
            problems += [f"--warm-start: {problem}" for problem in error.problems]
            continue
        taken += of_run
    if problems:
        raise ConfigError(problems)
    return EarlierTrials(tuple(taken), tuple(f"warm start: {note}" for note in notes))


def _differences(run: RunFolder, options: SearchOptions, data: PreparedData) -> list[str]:
    """Return in what a run differs so that its values may not compare.

    Raises:
        ConfigError: If its values mean something else.
    """
    if run.metric != options.metric:
        raise ConfigError(expected(f"{run.path}: metric", options.metric, run.metric))
    theirs = read_data(run.path)
    if set(theirs.index.classes) != set(data.index.classes):
        what = f"the classes {', '.join(data.index.classes)}"
        got = ", ".join(theirs.index.classes)
        raise ConfigError(expected(f"{run.path}: data", what, got))
    epochs = run.facts.get("options", {}).get("max_epochs")
    differing = {
        f"other data ({theirs.fingerprint})": theirs.fingerprint != data.fingerprint,
        "another split": _validation_images(theirs) != _validation_images(data),
        f"--max-epochs {epochs}": epochs != options.max_epochs,
    }
    found = [what for what, differs in differing.items() if differs]
    return [f"{run.path} has {' and '.join(found)}: its values may not compare."] if found else []


def _validation_images(data: PreparedData) -> set[str]:
    return set(data.index.table["path"].iloc[data.rows("val")])


def _suggestible(run: RunFolder, options: SearchOptions, space: Space) -> list[FrozenTrial]:
    finished = (trial for trial in run.trials if trial.state in LEARNT_FROM)
    found = (_as_of_space(trial, run, options, space) for trial in finished)
    taken = [trial for trial in found if trial is not None]
    if not taken:
        what = "finished trials that the space could suggest"
        raise ConfigError(expected(str(run.path), what, f"none of {len(run.trials)}"))
    return taken


def _counted(run: RunFolder, taken: Sequence[FrozenTrial]) -> str:
    num_finished = sum(trial.state in LEARNT_FROM for trial in run.trials)
    left_out = {
        "that the space cannot suggest": num_finished - len(taken),
        "without a result": len(run.trials) - num_finished,
    }
    others = [f"{number} {why}" for why, number in left_out.items() if number]
    without = f", not {' and '.join(others)}" if others else ""
    return f"{len(taken)} trials of {run.path}{without}."


def _as_of_space(
    trial: FrozenTrial, run: RunFolder, options: SearchOptions, space: Space
) -> FrozenTrial | None:
    """Return a trial as this space would have suggested it, None if it could not have.

    The space is asked anew and answered with the trial's values, defaults where the trial's own
    space did not ask. So the distributions are those of this space: a study takes no others.
    """
    given = trial.user_attrs.get(CONFIG, {})
    try:
        config = parse_config(given)
        answers = FixedTrial({**_all_values(config), **given, **trial.params})
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # Optuna's word for a value out of range
            _, _, again = Run(space, options.pins, options.max_epochs, seed=0).ask(answers)
    except ConfigError:
        return None
    if again.model_copy(update=NOT_COMPARED) != config.model_copy(update=NOT_COMPARED):
        return None
    return create_trial(
        state=trial.state,
        value=trial.value,
        params=answers.params,
        distributions=answers.distributions,
        user_attrs={name: trial.user_attrs[name] for name in KEPT if name in trial.user_attrs}
        | {FROM: f"{run.name}/{trial_id(trial.number)}"},
        intermediate_values=trial.intermediate_values,
    )


def _all_values(config: TrialConfig) -> dict[str, Any]:
    values: Mapping[str, Any] = config.model_dump(mode="json")
    return {
        name: "x".join(map(str, value)) if isinstance(value, list) else value
        for name, value in flattened(values).items()
    }

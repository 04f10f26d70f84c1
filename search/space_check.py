"""Tries a space before anything runs: samples suggestions and parses each."""

import warnings
from collections import Counter
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from typing import Any

import optuna

from search.pins import unused_pins
from search.space_file import STARTS, Space, complete
from search.suggesting import Dimension, Suggesting
from trainable.config import TrialConfig, field_names, parse_config
from trainable.errors import ConfigError, unknown

QUICK_SAMPLES = 25
MANY_SAMPLES = 200


@dataclass
class SpaceCheck:
    """What sampling a space showed.

    Args:
        num_samples: Number of suggestions sampled.
        configs: Distinct trainable configurations among them, by their flat form as text.
        dimensions: What the space asked for, by name, in the order of asking.
        times_asked: In how many suggestions each name was asked for.
        problems: How often each problem came.
        used: All names that occurred in some configuration.
    """

    num_samples: int = 0
    configs: dict[str, TrialConfig] = field(default_factory=dict)
    dimensions: dict[str, Dimension] = field(default_factory=dict)
    times_asked: Counter[str] = field(default_factory=Counter)
    problems: Counter[str] = field(default_factory=Counter)
    used: set[str] = field(default_factory=set)

    @property
    def sizes(self) -> tuple[tuple[int, int], ...]:
        """Return the distinct (height, width) of images, smallest first."""
        return tuple(sorted({config.resize for config in self.configs.values()}))

    def is_conditional(self, name: str) -> bool:
        """Return whether only some suggestions ask for a name."""
        return self.times_asked[name] < self.num_samples


def check_space(
    space: Space,
    *,
    pins: Mapping[str, Any],
    max_epochs: int,
    seed: int,
    num_samples: int = QUICK_SAMPLES,
) -> SpaceCheck:
    """Sample a space, and parse what it suggests.

    More is sampled while a pin has not had an effect, since the part that it belongs to may be
    rare.

    Args:
        space: The space.
        pins: Values by name that are not drawn.
        max_epochs: Longest training of a trial.
        seed: Seed of the samples.
        num_samples: Number of suggestions.

    Raises:
        ConfigError: With every distinct problem, and how often it came.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed))
    check = SpaceCheck()
    most = max(num_samples, MANY_SAMPLES)
    while check.num_samples < num_samples or (
        check.num_samples < most and not check.problems and set(pins) - check.used
    ):
        _try_suggestion(check, space, study.ask(), pins=pins, max_epochs=max_epochs, seed=seed)
    for number, start in enumerate(space.starts):
        problems = _start_problems(space, pins, number, start, names=check.dimensions.keys())
        check.problems.update(dict.fromkeys(problems, 0))
    if not check.problems:
        check.problems.update(dict.fromkeys(unused_pins(pins, check.used), 0))
    raise_problems(check.problems, of=check.num_samples)
    return check


def _try_suggestion(
    check: SpaceCheck,
    space: Space,
    trial: Suggesting,
    *,
    pins: Mapping[str, Any],
    max_epochs: int,
    seed: int,
) -> None:
    check.num_samples += 1
    try:
        asked = space.ask(trial, pins)
        flat = complete(asked.params, pins, max_epochs=max_epochs, seed=seed)
        config = parse_config(flat)
    except ConfigError as error:
        check.problems.update(error.problems)
        return
    check.dimensions.update(asked.dimensions)
    check.times_asked.update(asked.dimensions.keys())
    check.used.update(flat)
    key = config.model_copy(update={"seed": 0}).model_dump_json()
    check.configs[key] = config


def _start_problems(
    space: Space,
    pins: Mapping[str, Any],
    number: int,
    start: dict[str, Any],
    *,
    names: Set[str],
) -> tuple[str, ...]:
    """Return what is wrong with a configuration that the space file wants tried first.

    Args:
        space: The space.
        pins: Values by name that are not drawn.
        number: Place of the configuration in the list.
        start: The configuration.
        names: Names that the space has asked for in samples.
    """
    asked_for: Set[str] = names | {name for family in field_names().values() for name in family}
    problems: tuple[str, ...] = ()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # Optuna's word for a value out of range
            asked = space.ask(optuna.trial.FixedTrial(start), pins)
        asked_for = asked.dimensions.keys()
        parse_config(complete(asked.params, pins, max_epochs=1, seed=0))
    except ConfigError as error:
        problems = error.problems
    what = "a name that the space asks for with the others"
    wrong = [unknown(name, what, name, names) for name in start if name not in asked_for]
    return tuple(f"{STARTS}[{number}]: {problem}" for problem in (*problems, *wrong))


def raise_problems(problems: Mapping[str, int], *, of: int) -> None:
    """Raise every distinct problem, if there are any; those that differ in a value are one.

    Args:
        problems: How often each message came.
        of: In how many suggestions.

    Raises:
        ConfigError: The first message of each kind, with how often the kind came.
    """
    first: dict[str, str] = {}
    times: Counter[str] = Counter()
    for message, count in problems.items():
        kind = message.partition(", got ")[0]
        first.setdefault(kind, message)
        times[kind] += count
    if first:
        raise ConfigError([_counted(first[kind], times[kind], of) for kind in first])


def _counted(message: str, times: int, of: int) -> str:
    # What concerns a pin or the whole space has nothing to do with how many were sampled.
    return message if times in (0, of) else f"{message} In {times} of {of} suggestions."

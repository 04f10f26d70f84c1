"""Tries a space before anything runs: samples suggestions, parses and builds each."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import optuna

from search.build_check import build_problems
from search.pins import unused_pins
from search.space_file import STARTS, Space, complete
from search.suggesting import Dimension, StartingTrial, Suggesting, SuggestingTrial
from trainable.config import TrialConfig, parse_config
from trainable.errors import ConfigError, expected, unknown

# So many that a part which one suggestion in thirty has is missed once in a thousand searches.
NUM_SAMPLES = 200


@dataclass
class SpaceCheck:
    """What sampling a space showed.

    Args:
        num_samples: Number of suggestions sampled.
        configs: Distinct configurations of samples and starts, by their form as text.
        starts: What is to be tried first, each start once: its values that are asked for under
            the pins, by name. What else is asked for is drawn.
        dimensions: What the space asked for, by name, in the order of asking.
        times_asked: In how many suggestions each name was asked for.
        problems: How often each problem came.
        used: All names that occurred in some configuration.
    """

    num_samples: int = 0
    configs: dict[str, TrialConfig] = field(default_factory=dict)
    starts: list[dict[str, Any]] = field(default_factory=list)
    dimensions: dict[str, Dimension] = field(default_factory=dict)
    times_asked: Counter[str] = field(default_factory=Counter)
    problems: Counter[str] = field(default_factory=Counter)
    used: set[str] = field(default_factory=set)

    def note(self, flat: Mapping[str, Any], config: TrialConfig) -> None:
        """Take in a configuration: by flat name, and parsed."""
        self.used.update(flat)
        self.configs[config.model_copy(update={"seed": 0}).model_dump_json()] = config

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
    num_samples: int = NUM_SAMPLES,
) -> SpaceCheck:
    """Sample a space, parse what it suggests and what it wants tried first, and build that.

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
    check = SpaceCheck(num_samples)
    run = Run(space, pins, max_epochs, seed)
    for _ in range(num_samples):
        _try_suggestion(check, run, study.ask())
    for number, start in enumerate(space.starts):
        problems = _start_problems(run, start, study.ask(), known=check.dimensions.keys())
        others = [problem for problem in problems if problem not in check.problems]
        check.problems.update({f"{STARTS}[{number}]: {problem}": 0 for problem in others})
        if not problems:
            _try_start(check, run, start, study.ask())
    check.problems.update(build_problems(check.configs.values()))
    if not check.problems:
        check.problems.update(dict.fromkeys(unused_pins(pins, check.used), 0))
    raise_problems(check.problems, of=num_samples)
    return check


@dataclass(frozen=True)
class Run:
    """What decides, beside what is drawn, which configuration a space suggests.

    Args:
        space: The space.
        pins: Values by name that are not drawn.
        max_epochs: Longest training of a trial.
        seed: Seed of every configuration.
    """

    space: Space
    pins: Mapping[str, Any]
    max_epochs: int
    seed: int

    def ask(self, trial: Suggesting) -> tuple[SuggestingTrial, dict[str, Any], TrialConfig]:
        """Return what a space asked for, the configuration by flat name, and parsed.

        Raises:
            ConfigError: If the space raises, or what it suggests cannot be parsed.
        """
        asked = self.space.ask(trial, self.pins)
        flat = complete(
            asked.params,
            self.pins,
            max_epochs=self.max_epochs,
            seed=self.seed,
            home=self.space.home,
        )
        return asked, flat, parse_config(flat)


def _try_suggestion(check: SpaceCheck, run: Run, trial: Suggesting) -> None:
    try:
        asked, flat, config = run.ask(trial)
    except ConfigError as error:
        check.problems.update(error.problems)
        return
    check.dimensions.update(asked.dimensions)
    check.times_asked.update(asked.dimensions.keys())
    check.note(flat, config)


def _try_start(check: SpaceCheck, run: Run, start: Mapping[str, Any], trial: Suggesting) -> None:
    """Note what pins leave of a start; nothing if they do not fit it, or leave the same of two."""
    starting = StartingTrial(start, trial)
    try:
        _, flat, config = run.ask(starting)
    except ConfigError:
        return
    if starting.taken not in check.starts:
        check.starts.append(starting.taken)
        check.note(flat, config)


def _start_problems(
    run: Run, start: Mapping[str, Any], trial: Suggesting, *, known: Collection[str]
) -> list[str]:
    """Return what is wrong with a start as it is in the space file, without pins.

    Args:
        run: The space and the rest.
        start: Values by flat name.
        trial: What draws the values that it does not have.
        known: Names that the space has asked for in samples.
    """
    starting = StartingTrial(start, trial)
    try:
        asked, _, _ = replace(run, pins={}).ask(starting)
    except ConfigError as error:
        return list(error.problems)
    what = "a name that the space asks for with the others"
    return [
        *(
            expected(name, str(dimension), repr(start[name]) if name in start else "nothing")
            for name, dimension in starting.misfits.items()
        ),
        *(unknown(name, what, name, known) for name in start if name not in asked.dimensions),
    ]


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

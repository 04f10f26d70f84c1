"""``--resume RUN --space FILE``: what a changed space asks for, and whether it fits."""

from collections.abc import Iterable, Mapping

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.trial import FrozenTrial

from search.suggesting import Dimension
from trainable.errors import ConfigError, expected

Dimensions = Mapping[str, Dimension]


def check_compatible(new: Dimensions, trials: Iterable[FrozenTrial]) -> None:
    """Check that a study can take in suggestions of a changed space.

    Ranges of numbers may change and names come and go. What a study cannot mix under one name are
    other choices, other kinds of values, and a linear scale with a logarithmic one.

    Args:
        new: What the changed space asks for, by name.
        trials: The trials of the study.

    Raises:
        ConfigError: With a problem for each name.
    """
    recorded = {
        name: _dimension(distribution)
        for trial in trials
        for name, distribution in trial.distributions.items()
    }
    remedy = "Begin a new search with --warm-start instead."
    problems = [
        expected(f"--space: {name}", f"what the search began with ({old})", f"({now})", remedy)
        for name, old in recorded.items()
        if (now := new.get(name)) is not None
        and (old.kind, old.log, old.choices) != (now.kind, now.log, now.choices)
    ]
    if problems:
        raise ConfigError(problems)


def differences(old: Dimensions, new: Dimensions, trials: Iterable[FrozenTrial]) -> list[str]:
    """Return what a changed space asks for otherwise, a line each.

    Args:
        old: What the space has asked for so far, by name.
        new: What it asks for from now on.
        trials: The trials of the study.

    Example:
        >>> lr, narrow = Dimension("float", 1e-4, 0.1), Dimension("float", 1e-3, 0.01)
        >>> differences({"lr": lr, "ema": lr}, {"lr": narrow}, [])
        ['no longer asks for ema (0.0001 to 0.1)', 'lr: 0.001 to 0.01 instead of 0.0001 to 0.1']
    """
    added = [f"asks for {name} ({new[name]}), too" for name in new if name not in old]
    removed = [f"no longer asks for {name} ({old[name]})" for name in old if name not in new]
    changed = [name for name in new if name in old and new[name] != old[name]]
    ranges = [f"{name}: {new[name]} instead of {old[name]}" for name in changed]
    num_outside = sum(_is_outside(trial, new) for trial in trials)
    outside = [f"{num_outside} trials so far have values that it would not suggest"]
    return [*added, *removed, *ranges, *(outside if num_outside else [])]


def _is_outside(trial: FrozenTrial, new: Dimensions) -> bool:
    pairs = ((new.get(name), value) for name, value in trial.params.items())
    return any(now is not None and not now.contains(value) for now, value in pairs)


def _dimension(recorded: BaseDistribution) -> Dimension:
    if isinstance(recorded, CategoricalDistribution):
        return Dimension("choice", choices=recorded.choices)
    kind = "float" if isinstance(recorded, FloatDistribution) else "int"
    low, high, step, log = (getattr(recorded, name) for name in ("low", "high", "step", "log"))
    return Dimension(kind, low, high, step, log)

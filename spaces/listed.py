"""Suggestions from a list of configurations: for spaces of which every one is to be tried."""

from collections.abc import Mapping, Sequence

from optuna import Trial

from spaces.suggest import Value

# By family a value, or the fields of a part, such as {"resize": "64x48", "loss": {"name": "f1"}}.
Configuration = Mapping[str, Value | Mapping[str, Value]]


def suggest_listed(trial: Trial, configurations: Sequence[Configuration]) -> None:
    """Suggest combinations, family by family, of what the configurations of a list have.

    Each configuration of the list is among them: with the list as ``STARTS`` each is tried once,
    in its order, and whatever comes after is a combination.

    Args:
        trial: The trial.
        configurations: Configurations of the same families; parts of the same name have the
            same fields.
    """
    for family in configurations[0]:
        found = [configuration[family] for configuration in configurations]
        parts = [part for part in found if isinstance(part, Mapping)]
        if parts:
            _suggest_part(trial, family, parts)
        else:
            trial.suggest_categorical(family, _distinct(found))


def _suggest_part(trial: Trial, family: str, parts: Sequence[Mapping[str, Value]]) -> None:
    name = trial.suggest_categorical(f"{family}/name", _distinct([p["name"] for p in parts]))
    # A name that is pinned and not listed has the fields that all of its family have.
    named = [part for part in parts if part["name"] == name] or parts
    for field in (field for field in named[0] if field != "name"):
        if all(field in part for part in named):
            # The same choices for every name: Optuna wants those of a name never to change.
            values = _distinct([part[field] for part in parts if field in part])
            trial.suggest_categorical(f"{family}/{field}", values)


def _distinct(values: Sequence[object]) -> list[Value]:
    return [value for value in dict.fromkeys(values) if isinstance(value, Value)]

"""Pinned hyperparameters: where they belong in a configuration, and which belong nowhere."""

from collections.abc import Iterable, Mapping
from typing import Any

from trainable.config import TrialConfig, family_members, field_names, parsed_value
from trainable.errors import expected, question_or_list
from trainable.nearby import nearest


def parsed_pins(pins: Mapping[str, Any]) -> dict[str, Any]:
    """Return pins with their values as a trial reads them.

    Example:
        >>> parsed_pins({"optimizer/lr": ".001", "resize": "64x48"})
        {'optimizer/lr': 0.001, 'resize': '64x48'}
    """
    return {name: parsed_value(name, value) for name, value in pins.items()}


def with_pins(params: Mapping[str, Any], pins: Mapping[str, Any]) -> dict[str, Any]:
    """Add to a space's suggestions the pins that it does not ask for and that have an effect.

    A pin of a part's field is left out of configurations with another part: there it would be
    refused as a field without effect.

    Example:
        >>> pins = {"loss/gamma": 1.0, "precision": "bf16"}
        >>> with_pins({"loss/name": "f1"}, pins)
        {'loss/name': 'f1', 'precision': 'bf16'}
        >>> with_pins({"loss/name": "focal"}, pins)
        {'loss/name': 'focal', 'loss/gamma': 1.0, 'precision': 'bf16'}
        >>> with_pins({}, {"optimizer/lr": 0.1})
        {'optimizer/name': 'adamw', 'optimizer/lr': 0.1}
    """
    config = dict(params)
    # Names of parts first: they decide which other pins have an effect.
    for name in sorted(pins, key=lambda name: not name.endswith("/name")):
        family, _, field = name.partition("/")
        if name in config or not _has_field(config, family, field):
            continue
        if len(family_members(family)) > 1 and field != "name":
            config.setdefault(f"{family}/name", _default_name(family))
        config[name] = pins[name]
    return config


def _has_field(config: Mapping[str, Any], family: str, field: str) -> bool:
    if family not in TrialConfig.model_fields:
        return False
    parts = family_members(family)
    if not field:
        return not parts
    name = config.get(f"{family}/name", _default_name(family))
    chosen = [part for part in parts if len(parts) == 1 or part.part_name() == name]
    return any(field in part.model_fields for part in chosen)


def _default_name(family: str) -> str | None:
    known = TrialConfig.model_fields.get(family)
    return getattr(known.default, "name", None) if known else None


def unused_pins(pins: Mapping[str, Any], used: Iterable[str]) -> list[str]:
    """Return a problem for each pin that is in no configuration.

    Args:
        pins: The pins.
        used: All names that occurred in some configuration, with pins.
    """
    used = set(used)
    names = {name for family in field_names().values() for name in family}
    return [_problem(name, names) for name in pins if name not in used]


def _problem(name: str, known: set[str]) -> str:
    path = f"--set {name}"
    if name not in known:
        family = [other for other in known if other.split("/")[0] == name.split("/")[0]]
        ends = [other for other in known if "/" not in other or other.endswith("/name")]
        question = nearest(name, sorted(known))
        remedy = question_or_list(question, sorted(family or ends))
        return expected(path, "a hyperparameter", repr(name), remedy)
    remedy = "No configuration of the space has it: pin or suggest the part it belongs to."
    return expected(path, "a hyperparameter with an effect", repr(name), remedy)

"""Trials that differ from each other in a single family of hyperparameters."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from analysis.report.subject import SEED
from analysis.report.texts import short

FEWEST = 3


@dataclass(frozen=True)
class Setting:
    """A complete trial as families of hyperparameters.

    Args:
        trial: Its number.
        families: What it was given by family, such as ``{"loss": {"loss/name": "f1"}}``.
    """

    trial: int
    families: Mapping[str, Mapping[str, Any]]

    @classmethod
    def of(cls, trial: int, config: Mapping[str, Any]) -> "Setting":
        """Return the setting that a flat configuration is."""
        families: dict[str, dict[str, Any]] = defaultdict(dict)
        for name, value in config.items():
            families[name.partition("/")[0]][name] = value
        return cls(trial, families)

    @cached_property
    def key(self) -> frozenset[tuple[str, str]]:
        """What tells it from others, the seed left out."""
        return frozenset(
            (family, repr(sorted(values.items())))
            for family, values in self.families.items()
            if family != SEED
        )

    def difference(self, other: "Setting") -> str | None:
        """Return the one family in which two settings differ; None if it is not one alone."""
        families = {family for family, _ in self.key ^ other.key} or {SEED}
        return families.pop() if len(families) == 1 else None

    def change(self, family: str, base: "Setting") -> str:
        """Return as text what is different from a base in a family."""
        own, others = (of.families.get(family, {}) for of in (self, base))
        changed = {name: value for name, value in own.items() if others.get(name, ...) != value}
        name = f"{family}/name"
        if name in own:
            changed = {name: own[name]} | changed
        words = [_words(name, family, value) for name, value in changed.items()]
        return ", ".join(words) or "without"


def _words(name: str, family: str, value: object) -> str:
    text = "x".join(map(str, value)) if isinstance(value, list) else short(value)
    text = "none" if value is None else text
    field = name.removeprefix(family).removeprefix("/")
    return text if field in ("", "name") else f"{field} {text}"


def find_base(settings: list[Setting]) -> tuple[Setting, list[tuple[str, Setting]]] | None:
    """Return the setting from which most others differ in one family, and these with the family.

    Of several the first one; None where fewer than three others do.
    """
    count = _num_neighbours(settings)
    base = max(settings, key=lambda setting: count[setting.trial], default=None)
    if base is None or count[base.trial] < FEWEST:
        return None
    found = [(base.difference(other), other) for other in settings if other is not base]
    return base, [(family, other) for family, other in found if family is not None]


def _num_neighbours(settings: list[Setting]) -> Counter[int]:
    """Count for each trial those that are the same but for one family.

    Settings are told apart by what is left without a family: to compare all pairs of thousands
    would take minutes.
    """
    groups: dict[tuple[str, frozenset[tuple[str, str]]], list[int]] = defaultdict(list)
    families = sorted({family for setting in settings for family in setting.families} - {SEED})
    for setting in settings:
        for left_out in families:
            rest = frozenset(item for item in setting.key if item[0] != left_out)
            groups[left_out, rest].append(setting.trial)
    count: Counter[int] = Counter()
    same = Counter(setting.key for setting in settings)
    for setting in settings:  # trials of the same key are in the groups of every family
        count[setting.trial] -= same[setting.key] * (len(families) - 1)
    for members in groups.values():
        count.update(dict.fromkeys(members, len(members)))
    count.subtract({setting.trial: 1 for setting in settings})
    return count

"""What failed trials have in common: kinds of reasons, and values that go with failing."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from trainable.trial_folder import trial_id

# Numbers that are a word of their own: an epoch, a loss, an address; not the 1 of f1.
NUMBER = re.compile(r"(?<![\w.])[-+]?(0x[0-9a-f]+|\d[\d.,]*(e[-+]?\d+)?)(?!\w)", re.IGNORECASE)
# A chance as small as this, counted over all that was compared, is called no chance.
SMALL_CHANCE = 0.05
MOST_CHOICES = 6
MOST_LISTED = 5
NUM_THRESHOLDS = 9


@dataclass(frozen=True)
class Outcome:
    """A trial that has ended, as far as failing goes.

    Args:
        params: Its hyperparameters by name.
        has_failed: Whether it failed.
    """

    params: Mapping[str, Any]
    has_failed: bool


@dataclass(frozen=True)
class Trait:
    """Something that trials have in common, and how often those with and without it failed.

    Args:
        name: The hyperparameter.
        relation: How its value compares, ``=``, ``≥`` or ``≤``.
        value: The value.
        num_failed: Trials with the trait that failed.
        num_with: Trials with the trait.
        num_others_failed: Trials without it that failed.
        num_others: Trials without it.
    """

    name: str
    relation: str
    value: Any
    num_failed: int
    num_with: int
    num_others_failed: int
    num_others: int

    @property
    def always_fails(self) -> bool:
        """Return whether no trial with the trait has succeeded."""
        return self.num_failed == self.num_with

    def __str__(self) -> str:
        """Return the trait and its counts as text.

        Example:
            >>> str(Trait("optimizer/name", "=", "sgd", 6, 6, 0, 9))
            'optimizer/name=sgd (6 of 6 failed, of the others 0 of 9)'
        """
        value = f"{self.value:.3g}" if isinstance(self.value, float) else self.value
        of_others = f"of the others {self.num_others_failed} of {self.num_others}"
        counts = f"{self.num_failed} of {self.num_with} failed, {of_others}"
        return f"{self.name}{self.relation}{value} ({counts})"


def kind_of(reason: str) -> str:
    """Return the reason of a failure without what differs from trial to trial.

    Example:
        >>> kind_of("train/loss: expected a finite number, got nan in epoch 3.")
        'train/loss: expected a finite number, got nan in epoch N.'
        >>> kind_of("val/f1: no such metric at 0x7f3a") == kind_of("val/f1: no such metric at 0x1")
        True
    """
    return NUMBER.sub(_without_digits, " ".join(reason.split()))


def _without_digits(number: re.Match[str]) -> str:
    stop = "." if number[0].endswith(".") else ""
    return f"N{stop}"


def kinds(reasons: Mapping[int, str]) -> dict[str, list[int]]:
    """Return the trials that failed for each kind of reason, the most frequent kind first.

    Args:
        reasons: Why each trial failed, by its number.
    """
    found: dict[str, list[int]] = {}
    for number, reason in sorted(reasons.items()):
        found.setdefault(kind_of(reason), []).append(number)
    return dict(sorted(found.items(), key=lambda kind: -len(kind[1])))


def listed_trials(numbers: Sequence[int]) -> str:
    """Return trials as text, of many the first and how many more.

    Example:
        >>> listed_trials([3]), listed_trials([1, 2, 3, 4, 5, 6, 7])
        ('0003', '0001, 0002, 0003, 0004, 0005 and 2 more')
    """
    shown = ", ".join(trial_id(number) for number in numbers[:MOST_LISTED])
    more = len(numbers) - MOST_LISTED
    return f"{shown} and {more} more" if more > 0 else shown


def traits_of_failures(outcomes: Sequence[Outcome]) -> list[Trait]:
    """Return what goes with failing, the most telling first, each telling about other trials.

    A choice, or a number above or below a threshold, goes with failing if so many failures
    among the trials that have it would hardly ever come about by chance (Fisher's exact test,
    one-sided, the chance multiplied by the number of traits compared). What is found is taken
    out before the next is looked for, so that a value is not blamed for what another one did.

    Args:
        outcomes: The trials that have ended.

    Returns:
        Nothing where nothing sets the failures apart, as when everything failed.
    """
    found = []
    while trait := _most_telling(outcomes):
        found.append(trait)
        outcomes = [outcome for outcome in outcomes if not _has(outcome, trait)]
    return found


def _most_telling(outcomes: Sequence[Outcome]) -> Trait | None:
    """Return the trait that goes with failing the most, if any does."""
    seen: dict[frozenset[int], Trait] = {}
    for name, relation, value in _conditions(outcomes):
        trait = Trait(name, relation, value, 0, 0, 0, 0)
        members = frozenset(i for i, outcome in enumerate(outcomes) if _has(outcome, trait))
        if members not in seen:  # of two that say the same, what the space asked first
            seen[members] = _counted(outcomes, members, trait)
    chances = {members: _chance(trait) for members, trait in seen.items()}
    best = min(chances, key=lambda members: chances[members], default=None)
    if best is None or chances[best] * len(seen) >= SMALL_CHANCE:
        return None
    return seen[best]


def _conditions(outcomes: Sequence[Outcome]) -> Iterator[tuple[str, str, Any]]:
    """Yield every trait that may be compared: choices, and thresholds of numbers."""
    for name in dict.fromkeys(name for outcome in outcomes for name in outcome.params):
        values = [outcome.params[name] for outcome in outcomes if name in outcome.params]
        distinct = _distinct(values)
        if len(distinct) > MOST_CHOICES and all(map(_is_number, distinct)):
            for threshold in _thresholds(distinct):
                yield name, "≥", threshold
                yield name, "≤", threshold
        else:
            yield from ((name, "=", value) for value in distinct)


def _distinct(values: Sequence[Any]) -> list[Any]:
    """Return each value once; those of a list in a configuration do not hash."""
    return list({repr(value): value for value in values}.values())


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _thresholds(values: Sequence[float]) -> list[float]:
    ordered = sorted(values)
    steps = range(1, NUM_THRESHOLDS + 1)
    places = {len(ordered) * step // (NUM_THRESHOLDS + 1) for step in steps}
    return [ordered[place] for place in sorted(places)]


def _counted(outcomes: Sequence[Outcome], members: frozenset[int], trait: Trait) -> Trait:
    num_failed = sum(outcomes[number].has_failed for number in members)
    num_all_failed = sum(outcome.has_failed for outcome in outcomes)
    return replace(
        trait,
        num_failed=num_failed,
        num_with=len(members),
        num_others_failed=num_all_failed - num_failed,
        num_others=len(outcomes) - len(members),
    )


def _has(outcome: Outcome, trait: Trait) -> bool:
    if trait.name not in outcome.params:
        return False
    value = outcome.params[trait.name]
    if trait.relation == "=":
        return bool(value == trait.value)
    if not _is_number(value):
        return False
    return bool(value >= trait.value if trait.relation == "≥" else value <= trait.value)


def _chance(trait: Trait) -> float:
    """Return how likely so many failures or more would be if the trait made no difference."""
    total = trait.num_with + trait.num_others
    failed = trait.num_failed + trait.num_others_failed
    most = min(failed, trait.num_with)
    log_all = _log_comb(total, trait.num_with)
    return sum(
        math.exp(_log_comb(failed, k) + _log_comb(total - failed, trait.num_with - k) - log_all)
        for k in range(trait.num_failed, most + 1)
    )


def _log_comb(n: int, k: int) -> float:
    """Return the logarithm of n over k: of thousands, ``math.comb`` is slow."""
    if k > n:
        return -math.inf
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)

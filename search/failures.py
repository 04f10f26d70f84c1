"""When failures end a search, and which machines and values it then does without."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from optuna.distributions import CategoricalDistribution
from optuna.trial import FrozenTrial, TrialState

from analysis.failures import Outcome, Trait, kinds, listed_trials, traits_of_failures
from analysis.study_file import REASON
from trainable.errors import SearchError

# Fewer failures may be bad luck, whatever share of the trials they are.
FEWEST_FAILURES = 5
FEWEST_TO_AVOID = 4
MOST_KINDS = 3
ENDED = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)


def check_share(trials: Sequence[FrozenTrial], *, begun: Container[int], max_share: float) -> None:
    """Check that not too many of the trials begun have failed.

    Trials that run count among those begun: many at a time have not failed because five have.

    Args:
        trials: The study's trials.
        begun: Numbers of those to count, which are those of this process: what failed before a
            search is gone on with has been mended, or will fail again.
        max_share: Largest share that may fail.

    Raises:
        SearchError: If more have, and at least five; what they have in common is named.
    """
    counted = [trial for trial in trials if trial.number in begun]
    failed = [trial for trial in counted if trial.state is TrialState.FAIL]
    if len(failed) < FEWEST_FAILURES or len(failed) <= max_share * len(counted):
        return
    lines = [
        f"trials: expected at most {max_share:.0%} to fail (--max-failed-share), "
        f"got {len(failed)} of {len(counted)}.",
        *described_kinds({t.number: str(t.user_attrs.get(REASON, "")) for t in failed}),
    ]
    if traits := traits_of_failures(_outcomes(trials)):
        lines.append(f"Common to them: {'; '.join(map(str, traits))}.")
    raise SearchError(" ".join(lines))


def described_kinds(reasons: Mapping[int, str]) -> list[str]:
    """Return the most frequent kinds of reasons, a sentence each.

    Args:
        reasons: Why each trial failed, by its number.
    """
    found = list(kinds(reasons).values())
    texts = [f"{listed_trials(numbers)}: {_sentence(reasons[numbers[-1]])}" for numbers in found]
    more = len(texts) - MOST_KINDS
    return texts[:MOST_KINDS] + ([f"{more} other reasons."] if more > 0 else [])


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    return text if text.endswith(".") else f"{text}."


def _outcomes(trials: Sequence[FrozenTrial]) -> list[Outcome]:
    ended = [trial for trial in trials if trial.state in ENDED]
    return [Outcome(trial.params, trial.state is TrialState.FAIL) for trial in ended]


class Avoided:
    """The choices that have always failed where others have not.

    They are found in the whole study, so that an interrupted search goes on as it would have.
    """

    def __init__(self) -> None:
        self._traits: list[Trait] = []

    @property
    def values(self) -> dict[str, list[Any]]:
        """Return the values to avoid by the name of their hyperparameter."""
        values: dict[str, list[Any]] = {}
        for trait in self._traits:
            values.setdefault(trait.name, []).append(trait.value)
        return values

    def update(self, trials: Sequence[FrozenTrial]) -> list[Trait]:
        """Find what is to be avoided by now, and return what was not before.

        Args:
            trials: The study's trials.
        """
        known = self.values
        self._traits = _traits_to_avoid(trials)
        return [trait for trait in self._traits if trait.value not in known.get(trait.name, ())]


def _traits_to_avoid(trials: Sequence[FrozenTrial]) -> list[Trait]:
    if sum(trial.state is TrialState.FAIL for trial in trials) < FEWEST_TO_AVOID:
        return []
    choices = {
        name
        for trial in trials
        for name, known in trial.distributions.items()
        if isinstance(known, CategoricalDistribution) and not known.single()
    }
    return [
        trait
        for trait in traits_of_failures(_outcomes(trials))
        if trait.name in choices and trait.always_fails and trait.num_failed >= FEWEST_TO_AVOID
    ]


@dataclass
class MachineRecord:
    """Which machines of a cluster let trials fail, one after the other.

    A machine on which attempts of at least two trials have failed in a row, three in all, with no
    epoch done in between, is left out while there is another one that has done an epoch. Only
    attempts that died, raised or hung count; a configuration that cannot be trained is no
    machine's fault.
    """

    FEWEST = 3
    _in_a_row: dict[str, list[int]] = field(default_factory=dict)
    _proven: set[str] = field(default_factory=set)

    def succeeded(self, machine: str) -> None:
        """Take in that an epoch was done on a machine."""
        self._proven.add(machine)
        self._in_a_row.pop(machine, None)

    def failed(self, machine: str, number: int) -> None:
        """Take in that an attempt of a trial failed on a machine."""
        self._in_a_row.setdefault(machine, []).append(number)

    def num_failed(self, machine: str) -> int:
        """Return how many attempts in a row have failed on a machine."""
        return len(self._in_a_row.get(machine, ()))

    def to_avoid(self, alive: Container[str]) -> tuple[str, ...]:
        """Return the machines to leave out, sorted.

        Args:
            alive: The machines that are there.
        """
        bad = {
            machine
            for machine, numbers in self._in_a_row.items()
            if len(numbers) >= self.FEWEST and len(set(numbers)) > 1
        }
        good = [machine for machine in self._proven - bad if machine in alive]
        return tuple(sorted(machine for machine in bad if machine in alive)) if good else ()

"""Hyperband: ASHA in brackets, of which some give trials more time before the first rung."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from search.schedulers.asha import Asha

# Tells these draws from those of the samplers, which have the same seed and number.
BRACKETS = 1


class Hyperband(Asha):
    """Gives each trial a bracket, that is the first rung that counts for it, and runs ASHA there.

    The first bracket has all rungs, each further one lacks the first of the one before, and the
    last has none. They are drawn so that each is given about as many epochs as any other; that
    of a trial depends on the seed and its number alone.

    Args:
        rungs: The rungs of the first bracket, in epochs, rising.
        reduction_factor: One in this many goes on at a rung.
        seed: Seed of the brackets.

    References:
        Li et al., Hyperband: A Novel Bandit-Based Approach to Hyperparameter Optimization, JMLR
        2018, https://arxiv.org/abs/1603.06560, run asynchronously as in Ray Tune.

    Example:
        >>> hyperband = Hyperband((1, 3), reduction_factor=3, seed=0)
        >>> [hyperband.rungs_of(number) for number in (0, 8, 1)]
        [(1, 3), (3,), ()]
    """

    name: ClassVar[str] = "hyperband"

    def __init__(self, rungs: Sequence[int], *, reduction_factor: float, seed: int) -> None:
        super().__init__(rungs, reduction_factor=reduction_factor)
        self._seed = seed
        self._brackets = [self._rungs[skipped:] for skipped in range(len(self._rungs) + 1)]
        self._shares = bracket_shares(len(self._rungs), reduction_factor)
        self._drawn: dict[int, tuple[int, ...]] = {}

    def rungs_of(self, number: int) -> tuple[int, ...]:
        """Return the rungs of a trial's bracket."""
        if number not in self._drawn:
            rng = np.random.default_rng([self._seed, number, BRACKETS])
            self._drawn[number] = self._brackets[rng.choice(len(self._shares), p=self._shares)]
        return self._drawn[number]

    def describe(self) -> str:
        """Return in one sentence what it would do."""
        brackets = "; ".join(
            f"{share:.0%} of trials {', '.join(map(str, bracket)) or 'none'}"
            for share, bracket in zip(self._shares, self._brackets, strict=True)
        )
        return f"At each rung one in {self._reduction_factor:g} would go on; rungs: {brackets}."


def bracket_shares(num_rungs: int, reduction_factor: float) -> list[float]:
    """Return the share of trials in each bracket, that with all rungs first.

    A bracket of s rungs has (s_max + 1) / (s + 1) * factor^s trials, by the paper, for some
    factor^-s of them go on to the end.

    Example:
        >>> [round(share, 3) for share in bracket_shares(2, 3)]
        [0.545, 0.273, 0.182]
    """
    sizes = [reduction_factor**s / (s + 1) for s in range(num_rungs, -1, -1)]
    return [size / sum(sizes) for size in sizes]

"""Notices trials that hang: nothing is heard of them for far longer than their epochs take."""

import time
from collections.abc import Callable, Collection

# Without a limit given: long enough for a pause of a network disk, or to load weights and data.
SHORTEST_S = 600
BEFORE_FIRST_EPOCH_S = 3600
TIMES_LONGEST = 20
# Of a longer time without a look, the search itself was stopped: that tells nothing of trials.
LONGEST_LOOK_S = 10


class Watch:
    """Measures how long nothing has been heard of each running trial.

    Without a limit given, a trial may be silent for 20 times the longest epoch of any trial so
    far, with what was set up before it, and for ten minutes in any case. Until its first epoch in
    a worker is done it has an hour, since nothing is known yet of how long that one takes.

    Args:
        timeout_s: Seconds of silence after which a trial hangs, None to judge by its epochs.
        clock: Seconds from any start.
    """

    def __init__(
        self, timeout_s: float | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._timeout_s = timeout_s
        self._clock = clock
        self._last_look_s = clock()
        self._silent_s: dict[int, float] = {}
        self._has_reported: set[int] = set()
        self._longest_s = 0.0

    def heard(self, number: int) -> None:
        """Take in that a trial has done an epoch."""
        self._longest_s = max(self._longest_s, self._silent_s.get(number, 0.0))
        self._silent_s[number] = 0.0
        self._has_reported.add(number)

    def limit_s(self, number: int) -> float:
        """Return the seconds that a trial may be silent for."""
        if self._timeout_s is not None:
            return self._timeout_s
        shortest = SHORTEST_S if number in self._has_reported else BEFORE_FIRST_EPOCH_S
        return max(shortest, TIMES_LONGEST * self._longest_s)

    def hung(self, running: Collection[int]) -> list[int]:
        """Return the trials that hang, each once; to be called every few seconds at least.

        Args:
            running: The trials that have a worker at the moment; others are forgotten.
        """
        now_s = self._clock()
        passed_s = min(now_s - self._last_look_s, LONGEST_LOOK_S)
        self._last_look_s = now_s
        self._has_reported &= set(running)
        self._silent_s = {n: self._silent_s.get(n, 0.0) + passed_s for n in running}
        hung = [number for number in running if self._silent_s[number] > self.limit_s(number)]
        for number in hung:
            del self._silent_s[number]
        return hung

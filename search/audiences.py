"""Several audiences of a search as one."""

from collections.abc import Iterable, Mapping
from typing import Any

from search.ledger import Audience, State


class Audiences(Audience):
    """Tells each audience every event, in their order."""

    def __init__(self, audiences: Iterable[Audience]) -> None:
        self._audiences = tuple(audiences)

    def trial_started(self, number: int, config: Mapping[str, Any]) -> None:
        """Pass on that a trial begins or goes on."""
        for audience in self._audiences:
            audience.trial_started(number, config)

    def epoch_reported(self, number: int, epoch: int, value: float, best: float) -> None:
        """Pass on an epoch."""
        for audience in self._audiences:
            audience.epoch_reported(number, epoch, value, best)

    def trial_ended(
        self, number: int, state: State, *, reason: str, value: float | None, epochs: int
    ) -> None:
        """Pass on the end of a trial."""
        for audience in self._audiences:
            audience.trial_ended(number, state, reason=reason, value=value, epochs=epochs)

    def disk_used(self, num_bytes: int) -> None:
        """Pass on the size on disk."""
        for audience in self._audiences:
            audience.disk_used(num_bytes)

    def note(self, text: str) -> None:
        """Pass on what the user should read."""
        for audience in self._audiences:
            audience.note(text)

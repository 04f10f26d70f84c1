"""The best candidates, equally weighted."""

from typing import Literal

from analysis.ensemble.ballot import Ballot
from analysis.ensemble.selection.base import (
    Selection,
    SelectionPart,
    equally_weighted,
    within_limits,
)


class TopK(SelectionPart):
    """The best single candidates, as many as may be members, equally weighted."""

    name: Literal["top_k"] = "top_k"

    def select(self, ballot: Ballot) -> Selection:
        """Return the average of the best."""
        best_first = self.affordable(ballot).tolist()
        return equally_weighted(ballot, within_limits(self, ballot, best_first))

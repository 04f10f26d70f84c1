"""One candidate a backbone, equally weighted."""

from typing import Literal

from analysis.ensemble.ballot import Ballot
from analysis.ensemble.selection.base import (
    Selection,
    SelectionPart,
    equally_weighted,
    within_limits,
)


class BestPerBackbone(SelectionPart):
    """The best candidate of each backbone, the best backbones first, equally weighted."""

    name: Literal["best_per_backbone"] = "best_per_backbone"

    def select(self, ballot: Ballot) -> Selection:
        """Return the average of the best of each backbone."""
        best: dict[str, int] = {}
        for number in self.affordable(ballot).tolist():
            best.setdefault(ballot.backbones[number], number)
        return equally_weighted(ballot, within_limits(self, ballot, list(best.values())))

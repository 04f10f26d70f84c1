"""The family of selections: from candidates to members and weights, a table of contents."""

from typing import Annotated

from pydantic import Field

from analysis.ensemble.selection.best_per_backbone import BestPerBackbone
from analysis.ensemble.selection.exhaustive import Exhaustive
from analysis.ensemble.selection.greedy import Greedy
from analysis.ensemble.selection.top_k import TopK

SelectionMethod = Annotated[
    Greedy | TopK | BestPerBackbone | Exhaustive, Field(discriminator="name")
]

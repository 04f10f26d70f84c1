"""Which trials keep their weights on disk."""

from collections.abc import Mapping
from pathlib import Path

from trainable.trial_folder import TrialFolder


def keep_weights_of_best(
    run_folder: Path, values: Mapping[int, float], *, num_kept: int
) -> tuple[int, ...]:
    """Delete the weights of all finished trials but the best; the rest of their folders stays.

    Args:
        run_folder: Folder of the search.
        values: Value of each finished trial by its number, larger is better.
        num_kept: How many keep their weights.

    Returns:
        The numbers of the trials that lost theirs just now.
    """
    ranked = sorted(values, key=lambda number: (-values[number], number))
    dropped = []
    for number in ranked[num_kept:]:
        weights = TrialFolder.of(run_folder, number).best_weights
        if weights.exists():
            weights.unlink()
            dropped.append(number)
    return tuple(dropped)

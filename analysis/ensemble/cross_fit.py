"""What a way of choosing members is worth on people who had no part in the choice."""

import numpy as np

from analysis.ensemble.ballot import Ballot
from analysis.ensemble.selection.base import SelectionPart
from analysis.estimates.people import folds

NUM_FOLDS = 5
NUM_REPEATS = 5


def cross_fitted(
    ballot: Ballot,
    method: SelectionPart,
    *,
    num_folds: int = NUM_FOLDS,
    num_repeats: int = NUM_REPEATS,
) -> tuple[np.ndarray, ...]:
    """Return predictions of all images by ensembles that were chosen without their people.

    The people are dealt out into folds; members are chosen on all folds but one and predict the
    images of that one, in turn. What a fold's ensemble says is as good as new to its people, but
    for what cannot be taken back: each trial's best epoch and the trials of a soup were chosen on
    everyone, and the search went on from everyone's scores.

    Args:
        ballot: The candidates.
        method: How members are chosen.
        num_folds: Number of folds; fewer where there are fewer people.
        num_repeats: How often the people are dealt out anew.

    Returns:
        float32 [num_images, num_classes] for each repeat; where there is only one person, the
        predictions of an ensemble that was chosen on that person.

    References:
        Chernozhukov et al. 2018, Double/debiased machine learning (for cross-fitting).
    """
    return tuple(_repeat(ballot, method, num_folds, seed) for seed in range(num_repeats))


def _repeat(ballot: Ballot, method: SelectionPart, num_folds: int, seed: int) -> np.ndarray:
    predictions_NC = np.empty(ballot.stack.probabilities.shape[:2], np.float32)
    for is_left_out in folds(ballot.images, num_folds=num_folds, seed=seed):
        others = ballot.on(~is_left_out) if not is_left_out.all() else ballot
        weights = method.select(others).weights
        predictions_NC[is_left_out] = ballot.average(weights)[is_left_out]
    return predictions_NC

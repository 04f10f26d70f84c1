"""Cross-entropy of many predictions at once."""

import numpy as np

from analysis.estimates.labelled import Labelled
from analysis.estimates.scorer import Scorer
from analysis.estimates.stack import Stack

SMALLEST_PROBABILITY = 1e-12


class LossScorer(Scorer):
    """Mean negative log-probability of the true class, in nats.

    Args:
        images: The images.
    """

    def __init__(self, images: Labelled) -> None:
        self._true = (np.arange(len(images)), images.labels)
        self._person_N = images.person
        self._num_people = images.num_people

    def added(self, total_NC: np.ndarray, num_votes: int, stack: Stack) -> np.ndarray:
        """Return the loss of the average with each candidate added, float64 [num_candidates]."""
        of_truth_NM = stack.probabilities[self._true] + total_NC[self._true][:, None]
        losses_NM = _losses(of_truth_NM / (num_votes + 1))
        return np.asarray(losses_NM.mean(axis=0, dtype=float))

    def resampled(self, probabilities_NC: np.ndarray, weights_RP: np.ndarray) -> np.ndarray:
        """Return the loss of each resample, float64 [num_resamples]."""
        losses_N = _losses(probabilities_NC[self._true])
        loss_P = np.bincount(self._person_N, losses_N, self._num_people)
        images_P = np.bincount(self._person_N, minlength=self._num_people)
        return np.asarray((weights_RP @ loss_P) / (weights_RP @ images_P))


def _losses(probabilities: np.ndarray) -> np.ndarray:
    losses: np.ndarray = -np.log(np.maximum(probabilities, SMALLEST_PROBABILITY))
    return losses

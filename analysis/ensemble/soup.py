"""Soups: the weights of several trials averaged into one network."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from analysis.candidate import Candidate
from analysis.ensemble.batch_norm import estimate_batch_norm
from analysis.ensemble.pool import Pool
from analysis.estimates.labelled import Labelled
from analysis.estimates.metric import scorer
from analysis.member import load_member
from trainable.checkpoint import load_weights, save_weights
from trainable.data.prepared import PreparedData

# Enough for means and variances to settle; the training part may be large.
BATCH_NORM_IMAGES = 4_096
FROM_SCRATCH = "none"
Weights = dict[str, Tensor]


def soups(pool: Pool, folder: Path, device: torch.device) -> list[Candidate]:
    """Return a soup of each kind of trial of which two or more are better together.

    Weights can be averaged of trials with the same backbone, head, size and pretrained start;
    from scratch, trials end in valleys of their own, and the average lies on the ridge between.
    A trial joins, best first, if the soup is then no worse on validation.

    Args:
        pool: The candidates; those without weights are passed over.
        folder: Where the soups' weights are written.
        device: Where they are scored.

    Raises:
        ConfigError: If the weights of a trial are damaged.

    References:
        Wortsman et al. 2022, Model soups (the greedy soup).
    """
    cooked = [
        _Cook(pool, trials, folder / f"{number}.safetensors", device).cooked()
        for number, trials in enumerate(_kinds(pool.candidates))
    ]
    return [soup for soup in cooked if soup is not None]


def _kinds(candidates: Sequence[Candidate]) -> list[list[Candidate]]:
    """Return the trials in groups whose weights can be averaged, of at least two."""
    kinds: dict[tuple[str, str, tuple[int, int]], list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        config = candidate.config
        if candidate.has_weights and config.backbone.pretrained != FROM_SCRATCH:
            head = config.head.model_dump_json(exclude={"dropout"})
            kinds[config.backbone.model_dump_json(), head, config.resize].append(candidate)
    return [kind for kind in kinds.values() if len(kind) > 1]


@dataclass
class _Cook:
    """Cooks the soup of one kind of trial."""

    pool: Pool
    trials: list[Candidate]
    file: Path
    device: torch.device

    def cooked(self) -> Candidate | None:
        """Return the soup, or None if the best trial is better alone."""
        best, *others = self._best_first()
        used, weights = [best], load_weights(best.weights())
        goodness, probabilities = self._goodness(best.probabilities), best.probabilities
        for trial in others:
            tried = mean_with(weights, load_weights(trial.weights()), len(used))
            tried, predicted = settled(tried, best, self.pool.data, self.device)
            if (value := self._goodness(predicted)) >= goodness:
                used, weights = [*used, trial], tried
                goodness, probabilities = value, predicted
        if len(used) == 1:
            return None
        save_weights(self.file, weights)
        return replace(
            best,
            name="+".join(trial.name for trial in used),
            weights_file=self.file,
            probabilities=probabilities,
            soup_of=tuple(f"{trial.run}/{trial.trial:04d}" for trial in used),
        )

    def _best_first(self) -> list[Candidate]:
        return sorted(self.trials, key=lambda trial: -self._goodness(trial.probabilities))

    def _goodness(self, probabilities_NC: np.ndarray) -> float:
        images = Labelled.of(self.pool.data, "val")
        return self.pool.objective.sign * scorer(self.pool.metric, images).of(probabilities_NC)


def settled(
    weights: Weights, like: Candidate, data: PreparedData, device: torch.device
) -> tuple[Weights, np.ndarray]:
    """Return averaged weights with batch norm that fits them, and what they predict.

    Args:
        weights: The average.
        like: A trial with a network of the same kind.
        data: Batch norm is estimated on its training part.
        device: Where that is done.

    Returns:
        The weights, and float32 [num_val, num_classes], the probabilities of the validation part.
    """
    member = load_member(like.config_file, like.weights(), data.label_space, device)
    member.model.load_state_dict(weights)
    images = data.images(member.config.resize)
    estimate_batch_norm(member, images, _training_rows(data))
    kept = {name: tensor.cpu() for name, tensor in member.model.state_dict().items()}
    rows = data.rows("val")
    if not len(rows):
        return kept, np.empty((0, data.label_space.num_classes), np.float32)
    return kept, member.probabilities(images, rows)


def mean_with(mean: Weights, added: Weights, num_used: int) -> Weights:
    """Return the mean of so many trials with one more; whole numbers stay as they are."""
    return {
        name: tensor.lerp(added[name], 1 / (num_used + 1))
        if tensor.is_floating_point()
        else tensor
        for name, tensor in mean.items()
    }


def _training_rows(data: PreparedData) -> np.ndarray:
    """Return some rows of the training part, the same ones each time."""
    rows = data.rows("train")
    return np.random.default_rng(0).permutation(rows)[:BATCH_NORM_IMAGES]

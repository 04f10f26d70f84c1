"""A trained network with its files, which can become a member of a bundle."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analysis.member import read_config
from analysis.mirror import Mirror
from analysis.recorded import read_probabilities
from analysis.run_folder import RunFolder
from trainable.config import TrialConfig
from trainable.data.prepared import PreparedData
from trainable.trial_folder import trial_id


@dataclass(frozen=True)
class Candidate:
    """A trained network, and what it says of the validation images.

    Args:
        name: What it is called on screen.
        run: Name of the search that trained it.
        trial: Its number there; of a soup that of its best trial.
        config: How it was trained.
        config_file: The file that says so.
        weights_file: Its weights; may be gone, or not copied from a bucket yet.
        probabilities: float32 [num_held_out, num_classes] of the images that it was validated on:
            those of the validation part, unless ``held_out`` says others.
        soup_of: Names of the trials whose weights were averaged; empty for a trial.
        held_out: int64 [num_held_out], the rows of these images where they are others; none of a
            network that was trained on all images but those of the test part.
        trained_on: What it was trained on if not on the training part, in a few words.
        mirror: The bucket that its run is in, if it is in one.
    """

    name: str
    run: str
    trial: int
    config: TrialConfig
    config_file: Path
    weights_file: Path
    probabilities: np.ndarray
    soup_of: tuple[str, ...] = ()
    held_out: np.ndarray | None = None
    trained_on: str | None = None
    mirror: Mirror | None = None

    @property
    def has_weights(self) -> bool:
        """Return whether it can be exported."""
        return self.weights_file.is_file() or self._are_in_bucket

    @property
    def _are_in_bucket(self) -> bool:
        return self.mirror is not None and self.mirror.has_weights(self.weights_file)

    def weights(self) -> Path:
        """Return the file of its weights, copied from the bucket if they are in one.

        Raises:
            ConfigError: If the bucket does not answer.
        """
        if self.mirror is not None and self._are_in_bucket:
            self.mirror.bring_weights(self.weights_file)
        return self.weights_file


def trial_candidate(
    run: RunFolder, number: int, data: PreparedData, *, prefix: str = ""
) -> Candidate:
    """Return a trial of a run as a candidate.

    Args:
        run: The run folder.
        number: The trial's number.
        data: The data of the run.
        prefix: What its name on screen begins with, to tell runs apart.

    Raises:
        ConfigError: If its configuration or probabilities are missing or damaged.
    """
    folder = run.trial_folder(number)
    return Candidate(
        name=prefix + trial_id(number),
        run=run.name,
        trial=number,
        config=read_config(folder.config),
        config_file=folder.config,
        weights_file=folder.best_weights,
        probabilities=read_probabilities(folder.probabilities, data).probabilities,
        mirror=run.mirror,
    )

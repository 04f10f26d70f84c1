"""A trial that trains nothing: what is left is what the engine itself costs.

Its workers import Ray and nothing else, so that many of them fit on one machine.
"""

import random
from typing import Any

from ray import tune
from ray.tune.result import DONE

NUM_EPOCHS = 10
METRIC = "val/f1"


class DummyTrial(tune.Trainable):  # type: ignore[misc]  # Ray has no types
    """Reports a random curve at once, an epoch a step, in the form of ``TrainTrial``."""

    def setup(self, config: dict[str, Any]) -> None:
        """Take a trial."""
        del config
        self._epoch = 0
        self._best = random.random()  # noqa: S311  no secret

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Take another trial in the same process."""
        self.setup(new_config)
        return True

    def step(self) -> dict[str, Any]:
        """Report an epoch."""
        self._epoch += 1
        is_last = self._epoch == NUM_EPOCHS
        value = self._best * self._epoch / NUM_EPOCHS
        told = {"finished": "epochs" if is_last else "", "failed": "", "note": "", DONE: is_last}
        return {"epoch": self._epoch, METRIC: value, **told}

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Save nothing."""

    def load_checkpoint(self, checkpoint: object) -> None:
        """Load nothing."""

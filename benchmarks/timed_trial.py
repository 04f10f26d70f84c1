"""A trial that writes down when its first batch came and when it ended."""

from pathlib import Path
from typing import Any

from ray.tune.result import DONE

from benchmarks.tutorial import stamp
from trainable.ray_trainable import TrainTrial

STAMPS = "stamps.csv"


class TimedTrial(TrainTrial):
    """The product's trial, with a file of times in its run folder.

    The first batch is drawn once more for it: that lies outside of what is timed.
    """

    def step(self) -> dict[str, Any]:
        """Train one epoch."""
        stamps = str(Path(self._run_folder, STAMPS))
        if self._trial is None:
            next(self._open()._loop.batches.of_epoch(0))
            stamp(stamps, "first batch")
        result = super().step()
        if result[DONE]:
            stamp(stamps, "end")
        return result

"""What trials keep on disk: the weights of the best alone, everything small of all."""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from trainable.checkpoint import drop_last
from trainable.files import remove
from trainable.trial_folder import TrialFolder


class TrialFiles:
    """Keeps the trials of a search within one budget of weights, and knows what they take.

    A finished trial keeps its weights while it is among the best of all; metrics, validation
    probabilities and events stay of every trial. What a larger budget would have kept before is
    gone: it holds from then on.

    Args:
        run_folder: Folder of the search.
        num_kept: Number of the best trials whose weights are kept.
    """

    def __init__(self, run_folder: Path, *, num_kept: int) -> None:
        self._run_folder = run_folder
        self._num_kept = num_kept
        self._with_weights: set[int] = set()
        self._num_bytes: dict[int, int] = {}

    @property
    def num_bytes(self) -> int:
        """Return what the folders of all ended trials take, in bytes."""
        return sum(self._num_bytes.values())

    def take_over(self, values: Mapping[int, float], failed: Mapping[int, str]) -> None:
        """Look at what earlier processes left, and do what they were killed before doing.

        Args:
            values: Value of each finished trial by its number, larger is better.
            failed: Why each failed trial failed.
        """
        for number, reason in failed.items():
            self.failed(number, reason)
        for number in values:
            self._settle(number)
        self._keep_best(values)

    def ended(self, number: int, values: Mapping[int, float]) -> None:
        """Drop what only a trial in training needs, and weights that are not among the best.

        Args:
            number: The trial that has ended.
            values: Value of each finished trial by its number, larger is better.
        """
        self._settle(number)
        self._keep_best(values)

    def failed(self, number: int, reason: str) -> None:
        """Drop what a failed trial had to go on from, and see that it says why it failed."""
        folder = TrialFolder.of(self._run_folder, number)
        if not folder.error.exists():
            folder.write_error(reason)
        remove(folder.checkpoint)
        self._measure(number)

    def _settle(self, number: int) -> None:
        folder = TrialFolder.of(self._run_folder, number)
        drop_last(folder.checkpoint)
        if folder.best_weights.exists():
            self._with_weights.add(number)
        self._measure(number)

    def _keep_best(self, values: Mapping[int, float]) -> None:
        ranked = sorted(values, key=lambda number: (-values[number], number))
        for number in self._with_weights - set(ranked[: self._num_kept]):
            TrialFolder.of(self._run_folder, number).best_weights.unlink(missing_ok=True)
            self._with_weights.remove(number)
            self._measure(number)

    def _measure(self, number: int) -> None:
        self._num_bytes[number] = folder_bytes(TrialFolder.of(self._run_folder, number).path)


def folder_bytes(folder: Path) -> int:
    """Return the size of all files below a folder, 0 where there is none."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):  # another process may be renaming it
                total += Path(parent, name).lstat().st_size
    return total

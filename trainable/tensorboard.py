"""A trial's curves as TensorBoard events."""

from collections.abc import Mapping
from pathlib import Path

from tensorboardX import SummaryWriter


class CurveWriter:
    """Writes the metrics of each epoch as scalars.

    Args:
        folder: The trial's folder.
        epochs_done: Epochs that the trial has behind it; what an interrupted process wrote of
            later ones is hidden.
    """

    def __init__(self, folder: Path, *, epochs_done: int) -> None:
        self._writer = SummaryWriter(str(folder), purge_step=epochs_done + 1, flush_secs=3600)

    def write(self, row: Mapping[str, float]) -> None:
        """Write one epoch's metrics, at the step ``row["epoch"]``."""
        for name, value in row.items():
            if name != "epoch":
                self._writer.add_scalar(name, value, global_step=int(row["epoch"]))
        self._writer.flush()

    def close(self) -> None:
        """Write what is left and close the file."""
        self._writer.close()

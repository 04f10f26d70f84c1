"""A trial as TensorBoard events: its curves, its hyperparameters, pictures of its best epoch."""

import io
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import numpy as np
from PIL import Image
from tensorboardX.proto.summary_pb2 import Summary
from tensorboardX.summary import hparams, scalar

from trainable.event_file import EventFile
from trainable.files import written_to

Hyperparameter = bool | int | float | str
PICTURES = ".pictures"
MOST_COLORS_DRAWN = 4096


class CurveWriter:
    """Writes the metrics of each epoch as scalars, and what the HParams tab shows of a trial.

    That tab shows one row a trial: a session in the trial's own run, without an experiment's
    own list of hyperparameters, has TensorBoard collect them from all trials. The first metric
    it shows is ``best/...``, the objective at the best epoch so far.

    Args:
        folder: The trial's folder.
        epochs_done: Epochs that the trial has behind it; what an interrupted process wrote of
            later ones is hidden.
        hyperparameters: Flat, by name.
    """

    def __init__(
        self, folder: Path, *, epochs_done: int, hyperparameters: Mapping[str, Hyperparameter]
    ) -> None:
        _drop_pictures(folder)  # of an epoch that may be beaten, or hidden
        # The rest of the name is the second and the host: a trial that goes on within a second
        # would overwrite what it has.
        self._file = EventFile(folder, f".{epochs_done:05d}")
        self._file.hide_from(epochs_done + 1)
        if epochs_done == 0:
            _, session, _ = hparams(dict(hyperparameters), {})
            self._file.add(session)

    def write(self, row: Mapping[str, float], *, best: Mapping[str, float]) -> None:
        """Write one epoch's metrics, at the step ``row["epoch"]``.

        Args:
            row: A row of ``metrics.csv``.
            best: The objective's name and its best value so far.
        """
        scalars = {tag(name): value for name, value in row.items() if name != "epoch"}
        scalars |= {f"best/{name}": value for name, value in best.items()}
        summaries = [scalar(name, value) for name, value in scalars.items()]
        self._file.add(*summaries, step=int(row["epoch"]))

    def close(self) -> None:
        """Write what is left and close the file."""
        self._file.close()


def tag(metric: str) -> str:
    """Return where TensorBoard shows a metric: it groups by what is before the first slash.

    The few that one looks at first are ``train/…`` and ``val/…``; groups after them in the
    alphabet hold what there is by class, by attribute, and about the machine's work.

    Example:
        >>> tag("val/f1"), tag("val/f1/age/old"), tag("val/class_f1/cat"), tag("lr")
        ('val/f1', 'val_attributes/f1/age/old', 'val_classes/f1/cat', 'train/lr')
    """
    if metric == "lr":
        return "train/lr"
    if metric.startswith("val/class_f1/"):
        return f"val_classes/f1/{metric.removeprefix('val/class_f1/')}"
    if metric.startswith("val/f1/"):
        return f"val_attributes/f1/{metric.removeprefix('val/f1/')}"
    return metric if "/" in metric else f"work/{metric}"


def write_pictures(folder: Path, pictures: Mapping[str, np.ndarray], *, epoch: int) -> None:
    """Write pictures of an epoch into an event file of their own, in place of earlier ones.

    Args:
        folder: The trial's folder.
        pictures: uint8 [H, W, 3], RGB, by tag.
        epoch: Their step.
    """
    _drop_pictures(folder)
    with closing(EventFile(folder, PICTURES)) as file:
        file.add(*(_image_summary(name, p) for name, p in pictures.items()), step=epoch)


def _drop_pictures(folder: Path) -> None:
    with written_to(folder):
        for file in folder.glob(f"events.out.tfevents.*{PICTURES}"):
            file.unlink()


def _image_summary(name: str, picture: np.ndarray) -> Summary:
    height, width, _ = picture.shape
    image = Summary.Image(
        height=height, width=width, colorspace=3, encoded_image_string=_encoded(picture)
    )
    return Summary(value=[Summary.Value(tag=name, image=image)])


def _encoded(picture: np.ndarray) -> bytes:
    """Return a drawing as PNG with a palette, photographs as JPEG: a third of plain PNG's size."""
    image, encoded = Image.fromarray(picture), io.BytesIO()
    if image.getcolors(MOST_COLORS_DRAWN) is None:
        image.save(encoded, "JPEG", quality=85)
    else:
        image.quantize(256, method=Image.Quantize.FASTOCTREE).save(encoded, "PNG")
    return encoded.getvalue()

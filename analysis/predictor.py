"""Class probabilities of image files by a bundle, decoded and predicted side by side."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from analysis.bundle import Bundle
from analysis.formats.names import SAFETENSORS, FormatName
from analysis.formats.network import Network
from analysis.formats.reading import read_network
from trainable.data.decode import Size, decode_image, read_file
from trainable.data.threads import in_threads
from trainable.errors import ConfigError, expected


@dataclass(frozen=True)
class Predictions:
    """Class probabilities of a list of images.

    Args:
        probabilities: float32 [num_images, num_classes]; a row of NaN for an image that cannot
            be read.
        unreadable: Why an image cannot be read, by its place in the list.
    """

    probabilities: np.ndarray
    unreadable: dict[int, str]


@dataclass(frozen=True)
class _Decoded:
    """An image at every size that a member wants, or the reason why it cannot be read."""

    pixels: dict[Size, np.ndarray]
    reason: str = ""


@dataclass(frozen=True)
class _Weighted:
    """A member ready to predict images of its size, and its share in the average."""

    network: Network
    size: Size
    weight: float


class Predictor:
    """The weighted average of a bundle's members.

    Args:
        bundle: A bundle that was read, and so checked.
        device: Where the members run.
        format_name: Which of their formats runs.

    Raises:
        ConfigError: If the members are not there in that format, or a member's files do not fit
            each other.
    """

    def __init__(
        self, bundle: Bundle, device: torch.device, format_name: FormatName = SAFETENSORS
    ) -> None:
        check_has(bundle, format_name)
        self.num_classes = len(bundle.manifest.classes)
        self._crop = bundle.manifest.data.crop
        self._weighted = [
            _Weighted(read_network(bundle, entry, format_name, device), entry.size, entry.weight)
            for entry in bundle.manifest.members
        ]

    def predict(
        self,
        paths: Sequence[Path],
        *,
        batch_size: int,
        flip: bool = False,
        progress: Callable[[int, int], None] | None = None,
    ) -> Predictions:
        """Return the probabilities of image files.

        Threads decode the next images while the members work on a batch; members of the same
        input size share what was decoded, and no more than a few batches are held at a time.

        Args:
            paths: Image files.
            batch_size: Images at a time.
            flip: Whether to average with what is predicted of the mirrored images.
            progress: Called with (images read, images in all).
        """
        probabilities_NC = np.full((len(paths), self.num_classes), np.nan, np.float32)
        unreadable: dict[int, str] = {}
        sizes = {member.size for member in self._weighted}
        decode = partial(_decode, sizes=tuple(sizes), crop=self._crop)
        decoded = in_threads(decode, paths, progress)
        for start, batch in _batches(decoded, batch_size):
            unreadable |= {start + i: d.reason for i, d in enumerate(batch) if d.reason}
            places = [i for i, d in enumerate(batch) if not d.reason]
            if places:
                average_NC = self._average([batch[i].pixels for i in places], flip=flip)
                probabilities_NC[start + np.array(places)] = average_NC
        return Predictions(probabilities_NC, unreadable)

    def _average(self, images: Sequence[dict[Size, np.ndarray]], *, flip: bool) -> np.ndarray:
        stacks = {size: np.stack([image[size] for image in images]) for size in images[0]}
        average_NC = np.zeros((len(images), self.num_classes), np.float32)
        for member in self._weighted:
            images_NHWC = stacks[member.size]
            average_NC += member.weight * _predicted(member.network, images_NHWC, flip=flip)
        return average_NC


def check_has(bundle: Bundle, format_name: FormatName) -> None:
    """Check that all members of a bundle are there in a format.

    Raises:
        ConfigError: If not.
    """
    has = bundle.manifest.formats
    if format_name not in has:
        remedy = f"Make one by analysis.export or analysis.ensemble with --format {format_name}."
        what = f"a bundle with {format_name}"
        raise ConfigError(expected(str(bundle.path), what, f"one with {', '.join(has)}", remedy))


def _predicted(network: Network, images_NHWC: np.ndarray, *, flip: bool) -> np.ndarray:
    as_it_is_NC = network(images_NHWC)
    if not flip:
        return as_it_is_NC
    mirrored_NC = network(np.ascontiguousarray(images_NHWC[:, :, ::-1]))
    return np.asarray((as_it_is_NC + mirrored_NC) / 2)


def _decode(path: Path, sizes: Sequence[Size], crop: Size | None) -> _Decoded:
    try:
        content = read_file(path)
        return _Decoded({size: decode_image(content, size, crop=crop) for size in sizes})
    except ValueError as error:
        return _Decoded({}, str(error))


def _batches(items: Iterable[_Decoded], size: int) -> Iterator[tuple[int, list[_Decoded]]]:
    iterator = iter(items)
    start = 0
    while batch := list(islice(iterator, size)):
        yield start, batch
        start += len(batch)

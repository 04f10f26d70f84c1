"""Writes a network in further formats, each checked to predict as its safetensors file does."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from analysis.formats.names import FILES, ONNX, SAFETENSORS, FormatName
from analysis.formats.network import Network
from analysis.formats.program import exported_program
from analysis.formats.reading import read_graph
from analysis.formats.torch_export_format import write_torch_export
from analysis.member import Member
from trainable.errors import ConfigError, expected, first_line

TOLERANCE = 1e-4
# The graph must take any number of images, so that several are tried, one image among them.
CHECKED_BATCHES = (1, 2, 7, 22)
NUM_CHECKED = sum(CHECKED_BATCHES)
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Said:
    """What a network says of some images when it is read from its safetensors file.

    Args:
        images: uint8 [NUM_CHECKED, H, W, 3], RGB.
        probabilities: float32 [NUM_CHECKED, num_classes].
    """

    images: np.ndarray
    probabilities: np.ndarray


def write_formats(
    member: Member, classes: tuple[str, ...], folder: Path, formats: Sequence[FormatName]
) -> None:
    """Write a network beside its safetensors file.

    Args:
        member: The network, on the CPU; its strides change.
        classes: Names of its classes.
        folder: Its folder in the bundle.
        formats: Which ones; safetensors is passed over.

    Raises:
        ConfigError: If the network cannot be written in one of them.
    """
    graphs = [name for name in formats if name != SAFETENSORS]
    if not graphs:
        return
    with _refused(member, graphs[0]):
        program = exported_program(member)
    for name in graphs:
        with _refused(member, name):
            if name == ONNX:
                from analysis.formats.onnx_format import write_onnx  # an optional package

                write_onnx(program, classes, folder / FILES[name])
            else:
                write_torch_export(program, folder / FILES[name])


@contextmanager
def _refused(member: Member, format_name: FormatName) -> Iterator[None]:
    """Word what exporters raise of a network in the block: it may be anything.

    Raises:
        ConfigError: Instead, but for what the system says of files.
    """
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        option, backbone = f"--format {format_name}", member.config.backbone.name
        got = f"{backbone}: '{first_line(error)}'"
        remedy = f"Leave out {option}, or choose trials with another backbone."
        what = f"a backbone that can be written as {format_name}"
        raise ConfigError(expected(option, what, got, remedy)) from error


def check_formats(folder: Path, formats: Sequence[FormatName], said: Said, name: str) -> None:
    """Check that what was written says the same as the safetensors file.

    Args:
        folder: The network's folder in the bundle.
        formats: Which ones; safetensors is passed over.
        said: What that says.
        name: What the network is called in an error.

    Raises:
        ConfigError: If a format says something else.
    """
    shape = (*said.images.shape[1:3], said.probabilities.shape[1])
    for format_name in formats:
        if format_name == SAFETENSORS:
            continue
        network = read_graph(folder / FILES[format_name], format_name, CPU, shape=shape)
        difference = np.max(np.abs(_in_batches(network, said.images) - said.probabilities))
        if not difference <= TOLERANCE:  # so that NaN is refused, too
            what = f"what {FILES[SAFETENSORS]} says to {TOLERANCE:g}"
            got = f"a difference of {difference:.2g}"
            raise ConfigError(expected(f"trial {name} as {format_name}", what, got))


def _in_batches(network: Network, images_NHWC: np.ndarray) -> np.ndarray:
    batches = np.split(images_NHWC, np.cumsum(CHECKED_BATCHES)[:-1])
    return np.concatenate([network(batch_NHWC) for batch_NHWC in batches])

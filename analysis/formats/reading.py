"""Reads a member of a bundle in one of its formats."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from analysis.bundle import Bundle
from analysis.formats.names import FILES, ONNX, SAFETENSORS, FormatName
from analysis.formats.network import Network
from analysis.manifest import MemberEntry
from analysis.member import choose_device, load_member
from trainable.errors import ConfigError, expected, first_line


def read_network(
    bundle: Bundle, entry: MemberEntry, format_name: FormatName, device: torch.device
) -> Network:
    """Return a member's network, ready to predict on a device.

    Args:
        bundle: A bundle that was read, and so checked.
        entry: The member.
        format_name: A format that it has.
        device: Where it shall run.

    Raises:
        ConfigError: If the file is not what the manifest says of it.
    """
    labels = bundle.manifest.label_space
    if format_name != SAFETENSORS:
        file = bundle.path / entry.folder / FILES[format_name]
        return read_graph(file, format_name, device, shape=(*entry.size, labels.num_classes))
    config_file = bundle.config_file(entry)
    member = load_member(config_file, bundle.weights_file(entry), labels, device)
    if member.config.resize != entry.size:
        what = f"resize {entry.size[0]}x{entry.size[1]}, as bundle.json says"
        got = "{}x{}".format(*member.config.resize)
        raise ConfigError(expected(str(config_file), what, got))
    return lambda images_NHWC: member.probabilities(images_NHWC, np.arange(len(images_NHWC)))


def read_graph(
    file: Path, format_name: FormatName, device: torch.device, *, shape: tuple[int, int, int]
) -> Network:
    """Return a network from a file that holds its operators too, tried once.

    Args:
        file: The file.
        format_name: Its format, any but safetensors.
        device: Where it shall run.
        shape: Height and width of its images, and number of its classes.

    Raises:
        ConfigError: If it is damaged, or takes or gives something else.
    """
    *size, num_classes = shape
    try:
        network = _reader(format_name)(file, device)
        tried_NC = network(np.zeros((1, *size, 3), np.uint8))
    except (ConfigError, OSError):
        raise
    except Exception as error:  # torch and onnxruntime raise errors of many kinds
        what = f"a network as {format_name} for images {size[0]}x{size[1]}"
        raise ConfigError(expected(str(file), what, f"'{first_line(error)}'")) from error
    if tried_NC.shape != (1, num_classes):
        got = f"{tried_NC.shape[-1]}" if tried_NC.ndim else "none"
        raise ConfigError(expected(str(file), f"probabilities of {num_classes} classes", got))
    return network


def choose_device_for(format_name: FormatName, name: str) -> torch.device:
    """Return the device of ``--device`` for a format: auto takes a GPU only where it can.

    Raises:
        ConfigError: If a GPU is asked for and there is none.
    """
    if format_name == ONNX and name == "auto":
        from analysis.formats.onnx_format import uses_gpu

        return choose_device("auto" if uses_gpu() else "cpu")
    return choose_device(name)


def _reader(format_name: FormatName) -> Callable[[Path, torch.device], Network]:
    """Return what reads a format; only now is its library imported."""
    if format_name == ONNX:
        from analysis.formats.onnx_format import read_onnx

        return read_onnx
    from analysis.formats.torch_export_format import read_torch_export

    return read_torch_export

"""Networks as archives of ``torch.export``, whose content is checked before torch reads it."""

from pathlib import Path

import numpy as np
import torch
from torch.export import ExportedProgram
from torch.export.passes import move_to_device_pass

from analysis.formats.archive import check_archive
from analysis.formats.network import Network
from analysis.formats.program import quiet


def write_torch_export(program: ExportedProgram, file: Path) -> None:
    """Write a network without example images, so that nothing in the archive is a pickle.

    Args:
        program: The network.
        file: Where to, ending in .pt2.
    """
    with quiet():
        torch.export.save(program, file)


def read_torch_export(file: Path, device: torch.device) -> Network:
    """Return a network that torch runs operator by operator.

    Args:
        file: An archive of ``write_torch_export``.
        device: Where it shall run.

    Raises:
        ValueError: If the archive holds anything but tensors and known operators.
    """
    check_archive(file)
    with quiet():
        program = torch.export.load(file)
        if device.type != "cpu":
            program = move_to_device_pass(program, device)
        module = program.module()

    @torch.inference_mode()
    def probabilities(images_NHWC: np.ndarray) -> np.ndarray:
        images = torch.from_numpy(np.ascontiguousarray(images_NHWC)).to(device)
        return np.asarray(module(images).cpu())

    return probabilities

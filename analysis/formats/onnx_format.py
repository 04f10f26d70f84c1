"""Networks as ONNX files, run by onnxruntime."""

import json
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch.export import ExportedProgram

from analysis.formats.network import Network
from analysis.formats.program import BATCH, INPUT, OUTPUT, quiet
from trainable.cpus import usable_cpus
from trainable.errors import ConfigError, expected

GPU, CPU = "CUDAExecutionProvider", "CPUExecutionProvider"
ERRORS_ONLY = 3  # onnxruntime's level of what it logs
CLASSES = "classes"


def write_onnx(program: ExportedProgram, classes: tuple[str, ...], file: Path) -> None:
    """Write a network as one ONNX file, with the names of its classes as JSON.

    Args:
        program: The network.
        classes: Names of the classes, by class number.
        file: Where to.
    """
    with quiet():
        written = torch.onnx.export(
            program, dynamo=True, input_names=[INPUT], output_names=[OUTPUT], verbose=False
        )
        assert written is not None
        model = written.model
        written.rename_axes({str(symbol): BATCH for symbol in program.range_constraints})
        model.metadata_props.clear()
        for node in model.graph.all_nodes():
            node.metadata_props.clear()
        model.metadata_props[CLASSES] = json.dumps(classes)
        written.save(str(file), external_data=False)


def uses_gpu() -> bool:
    """Return whether the onnxruntime that is installed can use CUDA."""
    return GPU in onnxruntime.get_available_providers()


def read_onnx(file: Path, device: torch.device) -> Network:
    """Return a network that onnxruntime runs.

    Args:
        file: An ONNX file that holds its weights itself.
        device: Where it shall run.

    Raises:
        ConfigError: If a GPU is wanted and this onnxruntime cannot use one.
    """
    if device.type == "cuda" and not uses_gpu():
        got = "one for CPUs alone"
        remedy = "Try: pip install onnxruntime-gpu, or give --device cpu."
        raise ConfigError(expected("--device", "an onnxruntime that uses CUDA", got, remedy))
    options = onnxruntime.SessionOptions()
    options.log_severity_level = ERRORS_ONLY
    options.intra_op_num_threads = usable_cpus()
    # Threads that spin while they wait would take the decoders' cores.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # From the content and not the path, so that it can refer to no other file.
    session = onnxruntime.InferenceSession(
        file.read_bytes(), options, providers=[GPU, CPU] if device.type == "cuda" else [CPU]
    )
    return lambda images_NHWC: np.asarray(session.run([OUTPUT], {INPUT: images_NHWC})[0])

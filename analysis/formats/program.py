"""A network as a graph of operators: pixels in, class probabilities out, for any batch size."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from analysis.member import Member

INPUT, OUTPUT, BATCH = "images", "probabilities", "batch"
# What torch notes on each operator: where the code is on the machine that exported it.
NOTES = ("stack_trace", "nn_module_stack", "source_fn_stack", "torch_fn", "from_node", "custom")


class Probabilities(nn.Module):
    """A classifier that ends with probabilities, so that whoever runs it needs to know nothing.

    Args:
        model: Pixels -> logits; it normalises itself.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        """Return probabilities float32 [N, num_classes] of images uint8 [N, H, W, 3], RGB."""
        probabilities_NC: Tensor = self.model(images).softmax(dim=1)
        return probabilities_NC


def exported_program(member: Member) -> ExportedProgram:
    """Return the graph of a network on the CPU, without example images and notes.

    Args:
        member: The network, on the CPU.
    """
    height, width = member.config.resize
    # In two images: torch takes a dimension of one for one that never changes.
    images_NHWC = torch.zeros(2, height, width, 3, dtype=torch.uint8)
    # Plain strides, as files hold them.
    model = member.model.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    with quiet():
        program = torch.export.export(
            Probabilities(model).eval(), (images_NHWC,), dynamic_shapes=({0: Dim(BATCH)},)
        )
    program.example_inputs = None  # it would be written as a pickle
    for node in program.graph.nodes:
        for note in NOTES:
            node.meta.pop(note, None)
    return program


@contextmanager
def quiet() -> Iterator[None]:
    """Keep warnings of torch's exporters, which are about themselves, off the screen."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield

"""What every optimizer has in common: rates, weight decay, and how it is built."""

from abc import abstractmethod
from collections.abc import Sequence

from pydantic import Field
from torch.nn import Parameter
from torch.optim import Optimizer

from trainable.optimizers.groups import LayerGroups, ParamGroup, param_groups
from trainable.part import Part

# Devices for which torch has fused kernels of SGD, Adam and AdamW.
FUSED_DEVICES = ("cpu", "cuda")


class OptimizerPart(Part):
    """An optimizer: moves the parameters against their gradients."""

    lr: float = Field(gt=0, le=10)
    weight_decay: float = Field(0.0, ge=0, le=1)
    layer_decay: float = Field(1.0, gt=0, le=1)

    def build(self, layer_groups: LayerGroups) -> Optimizer:
        """Return the optimizer of all parameters, also of those frozen for now.

        Args:
            layer_groups: Named parameters by layer, from the input to the head, which is last.

        Returns:
            The optimizer; each of its groups keeps ``initial_lr``, what a schedule multiplies,
            and ``is_head``. A parameter without gradient is passed over in every step.
        """
        groups = param_groups(
            layer_groups,
            lr=self.lr,
            weight_decay=self.weight_decay,
            layer_decay=self.layer_decay,
        )
        return self.make(groups)

    @abstractmethod
    def make(self, groups: list[ParamGroup]) -> Optimizer:
        """Return the optimizer of these groups, in its cheapest form."""


def can_fuse(groups: Sequence[ParamGroup]) -> bool:
    """Return whether torch has fused kernels where these parameters are."""
    parameters: list[Parameter] = [p for group in groups for p in group["params"]]
    return all(p.device.type in FUSED_DEVICES for p in parameters)

"""Parameter groups: layer-wise learning rates, and no weight decay on norms and biases."""

from collections.abc import Sequence
from typing import Any

from torch.nn import Parameter

from trainable.errors import ConfigError, expected

LayerGroups = Sequence[Sequence[tuple[str, Parameter]]]
# Layer groups of a model whose backbone is one group.
BACKBONE_AND_HEAD = 2
# What torch takes: params, lr, initial_lr, weight_decay, and whether they are the head's, is_head.
ParamGroup = dict[str, Any]


def check_layers(num_groups: int, path: str, what: str, got: object) -> None:
    """Check that a backbone is known layer by layer.

    Args:
        num_groups: Layer groups, the head among them.
        path: Name of the hyperparameter that needs the layers.
        what: What it can be without them.
        got: What it is.

    Raises:
        ConfigError: If the backbone is one group.
    """
    if num_groups == BACKBONE_AND_HEAD:
        remedy = "timm does not say which of its layers comes before which."
        raise ConfigError(expected(path, f"{what} with this backbone", got, remedy))


def layer_rate(layer: int, num_layers: int, *, lr: float, layer_decay: float) -> float:
    """Return the learning rate of a layer: the last has ``lr``, each one before it less.

    Example:
        >>> [layer_rate(layer, 3, lr=1.0, layer_decay=0.5) for layer in range(3)]
        [0.25, 0.5, 1.0]
    """
    return lr * layer_decay ** (num_layers - 1 - layer)


def is_decayed(parameter: Parameter) -> bool:
    """Return whether weight decay applies: to matrices and kernels, not to norms and biases."""
    return parameter.ndim > 1


def param_groups(
    layer_groups: LayerGroups, *, lr: float, weight_decay: float, layer_decay: float
) -> list[ParamGroup]:
    """Return an optimizer's parameter groups.

    Parameters that share everything share a group, since a fused step costs by the group: four
    groups without layer decay, up to two a layer with it.

    Args:
        layer_groups: Named parameters by layer, from the input to the head, which is last.
        lr: Learning rate of the head.
        weight_decay: Weight decay of the parameters with more than one dimension.
        layer_decay: Factor from each layer's learning rate to the one before it.

    Returns:
        The groups from the input to the head.

    Raises:
        ConfigError: If there is layer decay and the backbone is known as one group only.
    """
    num_layers = len(layer_groups)
    if layer_decay < 1:
        check_layers(num_layers, "optimizer/layer_decay", "1", layer_decay)
    groups: dict[tuple[float, bool, bool], ParamGroup] = {}
    for layer, named_parameters in enumerate(layer_groups):
        rate = layer_rate(layer, num_layers, lr=lr, layer_decay=layer_decay)
        is_head = layer == num_layers - 1
        for _, parameter in named_parameters:
            decayed = is_decayed(parameter)
            group: ParamGroup = {
                "params": [],
                "lr": rate,
                "initial_lr": rate,
                "weight_decay": weight_decay if decayed else 0.0,
                "is_head": is_head,
            }
            groups.setdefault((rate, is_head, decayed), group)["params"].append(parameter)
    return list(groups.values())

"""Puts a freeze plan's word into effect on a model."""

from collections.abc import Sequence

from torch import nn

from trainable.optimizers.groups import LayerGroups


def apply_freeze(model: nn.Module, groups: LayerGroups, first_trainable: int) -> None:
    """Put a model into training with its first layer groups frozen.

    Frozen parameters need no gradient, and as they lie at the front the backward pass ends
    before them. Frozen modules are as in evaluation: running statistics of their batch norms
    stay, and their dropout and stochastic depth are off. To be called wherever ``model.train()``
    would be.

    Args:
        model: The model that the groups belong to.
        groups: All its parameters by layer, from the input to the head.
        first_trainable: Number of the first group that is trained.
    """
    for layer, named_parameters in enumerate(groups):
        for _, parameter in named_parameters:
            parameter.requires_grad_(layer >= first_trainable)
            if layer < first_trainable:
                parameter.grad = None
    model.train()
    for module in frozen_modules(model):
        module.eval()


def frozen_modules(model: nn.Module) -> list[nn.Module]:
    """Return the outermost modules without trainable parameters.

    A module without parameters of its own, such as a norm without weights or a dropout, is
    frozen with its parent, else with its nearest sibling before it that has parameters: that is
    where its input comes from.
    """
    if _is_frozen(model):
        return [model]
    found: list[nn.Module] = []
    follows_frozen = False
    for child in model.children():
        if not _has_parameters(child):
            found += [child] if follows_frozen else []
            continue
        found += frozen_modules(child)
        follows_frozen = _is_frozen(child)
    return found


def _has_parameters(module: nn.Module) -> bool:
    return next(module.parameters(), None) is not None


def _is_frozen(module: nn.Module) -> bool:
    parameters: Sequence[nn.Parameter] = list(module.parameters())
    return bool(parameters) and not any(p.requires_grad for p in parameters)

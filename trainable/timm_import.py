"""Imports timm on every machine, also where torchvision's compiled operators do not load.

torchvision registers fake kernels for its compiled operators when it is imported. Beside a CPU
build of torch its CUDA-built operators are absent and the registration raises ``operator
torchvision::nms does not exist``. None of these operators is used here, so that one error is
swallowed while torchvision is first imported, and only then. Everything that needs timm
imports it from here; what imports torchvision otherwise calls ``import_torchvision`` before.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from trainable.lean_import import absent

MISSING_OPERATOR = "operator torchvision::"


def _forget_torchvision() -> None:
    """Remove the half-imported modules, so that the next import starts afresh."""
    for name in [n for n in sys.modules if n.split(".")[0] == "torchvision"]:
        del sys.modules[name]


@contextmanager
def _tolerant_registration() -> Iterator[None]:
    """Let the registration of fake kernels pass over operators that are absent."""
    original = torch.library.register_fake

    def register_fake(*args: Any, **kwargs: Any) -> Callable[..., Any]:  # noqa: ANN401
        register: Callable[..., Any] = original(*args, **kwargs)

        def tolerant(function: Callable[..., Any]) -> Callable[..., Any]:
            try:
                registered: Callable[..., Any] = register(function)
            except RuntimeError as error:
                if MISSING_OPERATOR not in str(error):
                    raise
                return function
            return registered

        return tolerant

    torch.library.register_fake = register_fake
    try:
        yield
    finally:
        torch.library.register_fake = original


def import_torchvision() -> None:
    """Import torchvision, tolerating the absence of its compiled operators.

    Raises:
        RuntimeError: If the import fails for any other reason.
    """
    try:
        import torchvision
    except RuntimeError as error:
        if MISSING_OPERATOR not in str(error):
            raise
        _forget_torchvision()
        with _tolerant_registration():
            import torchvision  # noqa: F401


import_torchvision()

with absent("wandb"):  # it has a function that writes tables there
    import timm
    import timm.data
    import timm.layers
    import timm.models
    import timm.optim
    import timm.utils

__all__ = ["import_torchvision", "timm"]

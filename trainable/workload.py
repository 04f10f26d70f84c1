"""What decides how much memory and time a trial takes: a few of its hyperparameters."""

import math

from trainable.config import TrialConfig
from trainable.freezing.fixed import FreezeFront, FreezeNone
from trainable.freezing.melt import Melt

# Freezing a little more or less is no other workload: what the least frozen one takes is enough.
FROZEN_STEP = 0.25


def workload_of(config: TrialConfig, *, num_classes: int) -> str:
    """Return a text that configurations have in common which take as much memory and time.

    A network that melts counts with everything thawed, and one whose front is frozen with the
    next lower quarter frozen.

    Args:
        config: The configuration.
        num_classes: Number of classes of the data.

    Example:
        >>> from trainable.config import parse_config
        >>> config = {"backbone/name": "test_vit", "freeze/name": "front", "freeze/share": 0.6}
        >>> workload_of(parse_config(config), num_classes=18)
        'test_vit, linear head, 128x96, batch 64, fp32, front-0.5 frozen, adamw, 18 classes'
    """
    height, width = config.resize
    parts = (
        config.backbone.name,
        f"{config.head.name} head",
        f"{height}x{width}",
        f"batch {config.batch_size}",
        config.precision,
        f"{_frozen(config)} frozen",
        config.optimizer.name,
        *(() if config.ema is None else ("ema",)),
        f"{num_classes} classes",
    )
    return ", ".join(parts)


def least_frozen(config: TrialConfig) -> TrialConfig:
    """Return the configuration with everything trained from the beginning where it melts."""
    if isinstance(config.freeze, Melt):
        return config.model_copy(update={"freeze": FreezeNone()})
    return config


def _frozen(config: TrialConfig) -> str:
    freeze = least_frozen(config).freeze
    if isinstance(freeze, FreezeFront):
        return f"front-{math.floor(freeze.share / FROZEN_STEP) * FROZEN_STEP:g}"
    return freeze.name

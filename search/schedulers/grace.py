"""The grace that a trial's own configuration gives it."""

from collections.abc import Mapping
from typing import Any

from trainable.config import parse_config
from trainable.errors import ConfigError


def own_grace(config: Mapping[str, Any]) -> int:
    """Return the epochs before which a trial's values say too little to stop it.

    Args:
        config: Its configuration, flat; 0 for one that no trial would accept.

    Example:
        >>> schedule = {"schedule/name": "cosine", "schedule/warmup": 0.2}
        >>> own_grace({"backbone/name": "test_resnet", "epochs": 30, **schedule})
        6
    """
    try:
        return parse_config(config).earliest_stop_epoch
    except ConfigError:
        return 0

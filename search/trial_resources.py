"""What Ray sets aside for a trial; workers read this, and nothing else of the search."""

from collections.abc import Mapping
from typing import Any

from ray.tune import PlacementGroupFactory


def resources_of(config: Mapping[str, Any]) -> PlacementGroupFactory:
    """Return what Ray is to set aside for a trial.

    Ray keeps the worker of a trial that has ended for the next one that asks for as much.
    """
    return PlacementGroupFactory([{"CPU": config["cpus"], "GPU": config["gpus"]}])

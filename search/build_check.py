"""Builds what configurations are made of, as far as that does not depend on the data.

Nothing gets memory for its weights. What needs the data is built by ``search.fit_check``.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from functools import cache, partial

import torch
from torch.nn import Parameter

from trainable.backbones import check_size, layer_groups, on_meta
from trainable.config import TrialConfig
from trainable.errors import ConfigError
from trainable.optimizers.groups import LayerGroups

Build = Callable[[], object]


def build_problems(configs: Iterable[TrialConfig]) -> Counter[str]:
    """Build the parts of some configurations, each distinct thing once.

    Each distinct backbone with its size, loss, way of mixing, schedule with its number of epochs,
    augmentation with its size; each distinct optimizer and way of freezing with the number of
    layers of its backbone.

    Args:
        configs: The configurations.

    Returns:
        Every distinct problem, and in how many configurations it came.
    """
    return problems_of(_builds(config) for config in configs)


def problems_of(builds: Iterable[Iterable[tuple[Hashable, Build]]]) -> Counter[str]:
    """Make builds, equal ones once, and count their problems.

    Args:
        builds: For each configuration what to build, each with what equal builds are known by.
    """
    problems: Counter[str] = Counter()
    found: dict[Hashable, tuple[str, ...]] = {}
    for of_config in builds:
        for key, build in of_config:
            if key not in found:
                found[key] = _problems_of(build)
            problems.update(found[key])
    return problems


def _builds(config: TrialConfig) -> list[tuple[Hashable, Build]]:
    name, size, epochs = config.backbone.name, config.resize, config.epochs
    builds: list[tuple[Hashable, Build]] = [
        (config.loss, config.loss.build),
        (config.cutmix, config.cutmix.build),
        ((config.schedule, epochs), partial(config.schedule.build, epochs)),
        ((config.augmentation, size), partial(config.augmentation.build, size)),
        ((name, size), partial(check_size, name, size)),
    ]
    if _problems_of(builds[-1][1]):
        return builds
    num_layers = _num_layers(name, size)
    optimizer = partial(config.optimizer.build, _stand_in(num_layers))
    freeze = partial(_build_freeze, config, num_layers)
    return [
        *builds,
        ((config.optimizer, num_layers), optimizer),
        ((config.freeze, epochs, num_layers), freeze),
    ]


def _build_freeze(config: TrialConfig, num_layers: int) -> object:
    return config.freeze.build(config.epochs).first_trainable(0, num_layers)


@cache
def _num_layers(name: str, size: tuple[int, int]) -> int:
    """Return the number of a model's layer groups, its head among them."""
    return len(layer_groups(on_meta(name, size))) + 1


@cache
def _stand_in(num_layers: int) -> LayerGroups:
    """Return layers of one parameter each: how many they are is all that a build depends on."""
    return [[("weight", Parameter(torch.zeros(1, 1)))] for _ in range(num_layers)]


def _problems_of(build: Build) -> tuple[str, ...]:
    try:
        _make(build)
    except ConfigError as error:
        return error.problems
    return ()


def _make(build: Build) -> None:
    try:
        build()
    except ConfigError:
        raise
    # albumentations and timm raise what they like.
    except Exception as error:
        message = " ".join(str(error).split())
        raise ConfigError(f"space: {type(error).__name__} in building: {message}") from error

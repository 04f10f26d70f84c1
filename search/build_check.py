"""Builds sampled configurations without memory for their weights, to find what cannot be built."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from functools import partial

import torch

from search.space_check import raise_problems
from trainable.config import NO_LABEL_SHIFT, TrialConfig
from trainable.data.label_shift import shifted_labels
from trainable.data.prepared import PreparedData
from trainable.errors import ConfigError
from trainable.model import build_classifier

Build = Callable[[], object]
# Heads take any width: one is enough to find what they cannot be built for.
NUM_FEATURES = 8


def check_builds(
    configs: Iterable[TrialConfig], data: PreparedData, *, thorough: bool = False
) -> None:
    """Build each distinct network and each distinct part of some configurations once.

    Args:
        configs: The configurations.
        data: The data, whose classes and attributes heads and samplers depend on.
        thorough: Build each backbone at each of its sizes, not at one alone.

    Raises:
        ConfigError: With every distinct problem, and in how many configurations it came.
    """
    configs = list(configs)
    problems: Counter[str] = Counter()
    found: dict[Hashable, tuple[str, ...]] = {}
    for config in configs:
        for key, build in _builds(config, data, thorough=thorough):
            if key not in found:
                found[key] = _problems_of(build)
            problems.update(found[key])
    raise_problems(problems, of=len(configs))


def _builds(
    config: TrialConfig, data: PreparedData, *, thorough: bool
) -> list[tuple[Hashable, Build]]:
    """Return what is to be built for a configuration, and by what equal builds are known."""
    network = partial(_build_network, config, data)
    builds: list[tuple[Hashable, Build]] = [
        (config.backbone, config.backbone.check_weights),
        (config.loss, config.loss.build),
        (config.cutmix, config.cutmix.build),
        ((config.schedule, config.epochs), partial(config.schedule.build, config.epochs)),
        ((config.freeze, config.epochs), partial(config.freeze.build, config.epochs)),
        (
            (config.augmentation, config.resize),
            partial(config.augmentation.build, config.resize),
        ),
        (config.sampler, partial(_build_sampler, config, data)),
        (config.optimizer, partial(_build_optimizer, config)),
    ]
    if config.label_shift < NO_LABEL_SHIFT:
        shift = partial(shifted_labels, data.index, data.rows("train"), config.label_shift)
        builds.append((("label_shift", config.label_shift), shift))
    backbone = (config.backbone, config.resize) if thorough else (config.backbone, None)
    return [(backbone, network), (config.head, partial(_build_head, config, data)), *builds]


def _build_network(config: TrialConfig, data: PreparedData) -> object:
    with torch.device("meta"):
        return build_classifier(config, data.label_space, load_pretrained=False)


def _build_head(config: TrialConfig, data: PreparedData) -> object:
    with torch.device("meta"):
        return config.head.build(NUM_FEATURES, data.label_space)


def _build_sampler(config: TrialConfig, data: PreparedData) -> object:
    labels = data.labels()[data.rows("train")]
    num_classes = data.label_space.num_classes
    return config.sampler.build(labels, num_classes=num_classes, seed=config.seed)


def _build_optimizer(config: TrialConfig) -> object:
    weight = torch.nn.Parameter(torch.zeros(2, 2))
    return config.optimizer.build([[("weight", weight)]])


def _problems_of(build: Build) -> tuple[str, ...]:
    try:
        _built(build)
    except ConfigError as error:
        return error.problems
    return ()


def _built(build: Build) -> object:
    try:
        return build()
    except ConfigError:
        raise
    except Exception as error:
        message = " ".join(str(error).split())
        raise ConfigError(f"space: {type(error).__name__} in building: {message}") from error

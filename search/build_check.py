"""Builds sampled configurations without memory for their weights, to find what cannot be built."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from functools import partial

import torch

from search.space_check import raise_problems
from trainable.backbones import Backbone
from trainable.config import NO_LABEL_SHIFT, TrialConfig
from trainable.data.label_shift import shifted_labels
from trainable.data.prepared import PreparedData
from trainable.errors import ConfigError
from trainable.model import build_classifier
from trainable.optimizers.groups import LayerGroups

Build = Callable[[], object]
# Layer groups of the networks that could be built, by backbone.
Layers = dict[Backbone, LayerGroups]
# Heads take any width: one is enough to find what they cannot be built for.
NUM_FEATURES = 8


def check_builds(
    configs: Iterable[TrialConfig], data: PreparedData, *, thorough: bool = False
) -> None:
    """Build what some configurations are made of, each distinct thing once.

    Each distinct backbone with the head of the first configuration that has it, without memory
    for its weights; each distinct head, loss, sampler, way of mixing, schedule with its number
    of epochs, augmentation with its size; each distinct optimizer and way of freezing with the
    layers of its backbone; each distinct shift of labels. Whether the weights that a backbone
    starts from can be had is checked for each distinct backbone too.

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
    layers: Layers = {}
    for config in configs:
        for key, build in _builds(config, data, layers, thorough=thorough):
            if key not in found:
                found[key] = _problems_of(build)
            problems.update(found[key])
    raise_problems(problems, of=len(configs))


def _builds(
    config: TrialConfig, data: PreparedData, layers: Layers, *, thorough: bool
) -> list[tuple[Hashable, Build]]:
    """Return what is to be built for a configuration, and by what equal builds are known."""
    network = partial(_build_network, config, data, layers)
    of_layers = (config.backbone, config.optimizer, config.freeze, config.epochs)
    builds: list[tuple[Hashable, Build]] = [
        (config.backbone, config.backbone.check_weights),
        (config.loss, config.loss.build),
        (config.cutmix, config.cutmix.build),
        ((config.schedule, config.epochs), partial(config.schedule.build, config.epochs)),
        (
            (config.augmentation, config.resize),
            partial(config.augmentation.build, config.resize),
        ),
        (config.sampler, partial(_build_sampler, config, data)),
        (of_layers, partial(_build_what_needs_layers, config, layers)),
    ]
    if config.label_shift < NO_LABEL_SHIFT:
        shift = partial(shifted_labels, data.index, data.rows("train"), config.label_shift)
        builds.append((("label_shift", config.label_shift), shift))
    backbone = (config.backbone, config.resize) if thorough else (config.backbone, None)
    return [(backbone, network), (config.head, partial(_build_head, config, data)), *builds]


def _build_network(config: TrialConfig, data: PreparedData, layers: Layers) -> object:
    with torch.device("meta"):
        model = build_classifier(config, data.label_space, load_pretrained=False)
    layers[config.backbone] = model.layer_groups()
    return model


def _build_head(config: TrialConfig, data: PreparedData) -> object:
    with torch.device("meta"):
        return config.head.build(NUM_FEATURES, data.label_space)


def _build_sampler(config: TrialConfig, data: PreparedData) -> object:
    labels = data.labels()[data.rows("train")]
    num_classes = data.label_space.num_classes
    return config.sampler.build(labels, num_classes=num_classes, seed=config.seed)


def _build_what_needs_layers(config: TrialConfig, layers: Layers) -> None:
    """Build what some backbones cannot have, since their layers are not known one by one."""
    plan = config.freeze.build(config.epochs)
    if config.backbone in layers:
        groups = layers[config.backbone]
        plan.first_trainable(0, len(groups))
        config.optimizer.build(groups)


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

"""Builds what configurations are made of and depends on the data: heads, samplers, labels."""

from collections.abc import Collection, Hashable
from functools import partial

import torch

from search.build_check import Build, problems_of
from search.space_check import raise_problems
from trainable.config import NO_LABEL_SHIFT, TrialConfig
from trainable.data.label_shift import shifted_labels
from trainable.data.prepared import PreparedData

# Heads take any width: one is enough to find what they cannot be built for.
NUM_FEATURES = 8


def check_fit(configs: Collection[TrialConfig], data: PreparedData) -> None:
    """Build each distinct head, sampler and shift of labels of some configurations.

    Args:
        configs: The configurations.
        data: The data, whose classes and attributes they depend on.

    Raises:
        ConfigError: With every distinct problem, and in how many configurations it came.
    """
    problems = problems_of(_builds(config, data) for config in configs)
    raise_problems(problems, of=len(configs))


def _builds(config: TrialConfig, data: PreparedData) -> list[tuple[Hashable, Build]]:
    builds: list[tuple[Hashable, Build]] = [
        (config.head, partial(_build_head, config, data)),
        (config.sampler, partial(_build_sampler, config, data)),
    ]
    if config.label_shift < NO_LABEL_SHIFT:
        shift = partial(shifted_labels, data.index, data.rows("train"), config.label_shift)
        builds.append((("label_shift", config.label_shift), shift))
    return builds


def _build_head(config: TrialConfig, data: PreparedData) -> object:
    with torch.device("meta"):
        return config.head.build(NUM_FEATURES, data.label_space)


def _build_sampler(config: TrialConfig, data: PreparedData) -> object:
    labels = data.labels()[data.rows("train")]
    num_classes = data.label_space.num_classes
    return config.sampler.build(labels, num_classes=num_classes, seed=config.seed)

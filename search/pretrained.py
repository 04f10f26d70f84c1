"""Pretrained weights of a whole space: every backbone's is checked and fetched before it runs."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import optuna

from search.space_check import SpaceCheck
from search.space_file import Space
from trainable.backbones import Backbone, create_from_hub
from trainable.config import parse_config
from trainable.errors import ConfigError
from trainable.pretrained.hub import is_downloaded

NAME, START = "backbone/name", "backbone/pretrained"


def backbones_of(space: Space, check: SpaceCheck, pins: Mapping[str, Any]) -> tuple[Backbone, ...]:
    """Return every backbone that a space can suggest with what it starts from.

    Not the sampled ones alone: of a dozen, some are in no sample.

    Args:
        space: The space.
        check: What sampling it showed.
        pins: Values by name that are not drawn.
    """
    found = {config.backbone for config in check.configs.values()}
    names = check.dimensions[NAME].choices if NAME in check.dimensions else ()
    for name in () if NAME in pins else names:
        starts = _starts(space, {**pins, NAME: name})
        found |= {parse_config({NAME: name, START: start}).backbone for start in starts}
    return tuple(sorted(found, key=lambda backbone: (backbone.name, backbone.pretrained)))


def _starts(space: Space, pins: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what a space with these pins lets a backbone start from."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(0))
    asked = space.ask(study.ask(), pins).dimensions.get(START)
    if START in pins:
        return (pins[START],)
    return asked.choices if asked else (Backbone.model_fields["pretrained"].default,)


def check_weights(backbones: Iterable[Backbone], weights_dir: Path | None) -> None:
    """Check that the weights of all backbones can be had, as far as no network is needed.

    Args:
        backbones: The backbones.
        weights_dir: Folder that stands for the hub.

    Raises:
        ConfigError: With a problem for each that cannot.
    """
    problems: list[str] = []
    for backbone in backbones:
        try:
            backbone.weights_file(weights_dir)
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)


def names_to_download(backbones: Iterable[Backbone], weights_dir: Path | None) -> tuple[str, ...]:
    """Return the names of the models whose weights have yet to come to this machine."""
    names = {b.name for b in backbones if b.pretrained == "hub" and weights_dir is None}
    return tuple(sorted(name for name in names if not is_downloaded(name)))


def download_weights(names: Sequence[str], progress: Callable[[int, int], None]) -> None:
    """Download models' weights to this machine's cache, before trials wait for them.

    Args:
        names: Names of timm models.
        progress: Called with (models downloaded, models in all).

    Raises:
        ConfigError: If they cannot be had, with all that are missing.
    """
    for done, name in enumerate(names):
        progress(done, len(names))
        try:
            create_from_hub(name)
        except OSError as error:
            raise ConfigError(f"{error} Missing: {', '.join(names[done:])}.") from error
    progress(len(names), len(names))

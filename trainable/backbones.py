"""The backbone: a timm model without classifier, from scratch or from pretrained weights."""

import difflib
from collections.abc import Set
from functools import cache
from pathlib import Path
from typing import Any

import torch
from huggingface_hub.errors import (
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from pydantic import field_validator
from torch import Tensor, nn

from trainable.errors import ConfigError, expected
from trainable.part import Part
from trainable.pretrained.hub import is_on_hub, one_download
from trainable.pretrained.local_files import (
    WEIGHTS_ENDING,
    file_in_folder,
    read_weights,
    small_file,
)
from trainable.timm_import import timm
from trainable.user_paths import absolute_if_there

NUM_SUGGESTIONS = 5
# Of models that take any.
ANY_SIZE = (224, 224)
# What timm's models raise at an image size that they cannot take.
SIZE_ERRORS = (TypeError, ValueError, AssertionError, RuntimeError)
# What the hub answers where the weights are not, or may not be read: trying again is no help.
NOT_ON_HUB = (RemoteEntryNotFoundError, RepositoryNotFoundError, RevisionNotFoundError)
NOT_PATHS = ("none", "hub", "small")
MAX_MESSAGE = 160


class Backbone(Part):
    """Any timm model by name, from scratch or from pretrained weights.

    ``pretrained`` is ``none``, ``hub`` (timm's weights, downloaded once a machine, or from the
    folder of ``--weights-dir``), ``small`` (the start that ships with the product, for one tiny
    model), or the path of a safetensors file, or of a folder that holds NAME.safetensors.
    """

    name: str = "convnext_small"
    pretrained: str = "none"

    @field_validator("name")
    @classmethod
    def _timm_knows(cls, name: str) -> str:
        model, _, tag = name.partition(".")
        if not timm.is_model(model):
            raise ValueError(f"a timm model{_did_you_mean(model)}")
        tags = timm.list_pretrained(f"{model}.*") if tag else [name]
        if name not in tags:
            raise ValueError(f"one of {', '.join(sorted(tags)) or model}")
        return name

    @field_validator("pretrained")
    @classmethod
    def _is_absolute(cls, pretrained: str) -> str:
        return pretrained if pretrained in NOT_PATHS else absolute_if_there(pretrained)

    def build(
        self, size: tuple[int, int], *, load_pretrained: bool, weights_dir: Path | None = None
    ) -> nn.Module:
        """Return the timm model, whose output are pooled features [N, num_features].

        With ``load_pretrained=False`` it builds on ``torch.device("meta")`` too, and reads no
        weights: a checkpoint follows, or nothing but the shape matters.

        Args:
            size: Height and width of the images.
            load_pretrained: Whether to start from the pretrained weights, if there are any.
            weights_dir: Folder that stands for the hub.

        Raises:
            ConfigError: If the model cannot take the size, or the weights do not exist or fit
                another model.
            OSError: If the hub cannot be reached, which may be over when tried again.
        """
        check_size(self.name, size)
        if not load_pretrained or self.pretrained == "none":
            return _create(self.name, size)
        file = self.weights_file(weights_dir)
        if file is None:
            return create_from_hub(self.name, size)
        return _create_from_file(self.name, size, file)

    def weights_file(self, weights_dir: Path | None = None) -> Path | None:
        """Return the file that the weights come from, without reading or downloading it.

        Args:
            weights_dir: Folder that stands for the hub.

        Returns:
            The file, or None where there are no weights or they come from the hub.

        Raises:
            ConfigError: If there are none for this model.
        """
        if self.pretrained == "none":
            return None
        if self.pretrained == "small":
            return small_file(self.name)
        if self.pretrained == "hub":
            return self._hub_file(weights_dir)
        path = Path(self.pretrained)
        if path.suffix != WEIGHTS_ENDING:
            return file_in_folder(path, self.name)
        if not path.is_file():
            remedy = "Give a .safetensors file, or a folder that holds one by the model's name."
            problem = expected("backbone/pretrained", "a file that exists", str(path), remedy)
            raise ConfigError(problem)
        return path

    def _hub_file(self, weights_dir: Path | None) -> Path | None:
        if weights_dir is not None:
            return file_in_folder(weights_dir, self.name)
        if not is_on_hub(self.name):
            raise ConfigError(_not_on_hub(self.name, "none"))
        return None


def layer_groups(module: nn.Module) -> list[list[tuple[str, nn.Parameter]]]:
    """Return a timm model's named parameters by layer, from the input on.

    A model whose layers timm does not tell apart is one group.
    """
    named = dict(module.named_parameters())
    find_matcher: Any = getattr(module, "group_matcher", None)
    if find_matcher is None:
        return [list(named.items())]
    groups = timm.models.group_parameters(module, find_matcher(coarse=False))
    return [[(name, named[name]) for name in groups[layer]] for layer in sorted(groups)]


def num_features(module: nn.Module) -> int:
    """Return the width of a timm model's pooled features."""
    width: Any = module.head_hidden_size
    return int(width)


def normalisation(module: nn.Module) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the mean and the standard deviation by channel that a timm model was trained with.

    Returns:
        Both as shares of the grey range, in the order red, green, blue.
    """
    data_config = timm.data.resolve_model_data_config(module)
    return tuple(data_config["mean"]), tuple(data_config["std"])


def check_size(name: str, size: tuple[int, int]) -> None:
    """Check that a timm model takes images of this height and width, without computing.

    Raises:
        ConfigError: If it does not.
    """
    problem = _size_problem(name, size)
    if problem:
        remedy = f"Choose another size for {name}: {problem}"
        raise ConfigError(
            expected("resize", f"a size that {name} can take", f"{size[0]}x{size[1]}", remedy)
        )


@cache
def _size_problem(name: str, size: tuple[int, int]) -> str:
    """Return why the model cannot take the size, empty if it can."""
    with torch.device("meta"), torch.no_grad():
        try:
            module = on_meta(name, size)
            shape = tuple(module(torch.empty(1, 3, *size)).shape)
        except SIZE_ERRORS as error:
            return _shortened(str(error)) or f"{type(error).__name__}."
    width = num_features(module)
    return "" if shape == (1, width) else f"its features are {shape} and not {(1, width)}."


def create_from_hub(name: str, size: tuple[int, int] | None = None) -> nn.Module:
    """Return a timm model without classifier, with the hub's weights, downloaded if need be.

    Args:
        name: Name of the model.
        size: Height and width of the images; None for the size that it was trained at.

    Raises:
        ConfigError: If there are no weights of it.
        OSError: If the hub cannot be reached.
    """
    try:
        with one_download(name):
            return _create(name, size, pretrained=True)
    except NOT_ON_HUB as error:
        raise ConfigError(_not_on_hub(name, _shortened(str(error)))) from error
    except OSError as error:
        remedy = "Without network: download them elsewhere and give their folder by --weights-dir."
        what, got = f"weights of {name} from the hub", _shortened(str(error))
        raise OSError(expected("backbone/pretrained", what, got, remedy)) from error


def on_meta(name: str, size: tuple[int, int]) -> nn.Module:
    """Return a timm model in evaluation mode, without memory for its weights; not to be changed.

    Args:
        name: Name of the model.
        size: Height and width of the images; models that take any size are one for all.
    """
    return _on_meta(name, size if timm.get_pretrained_cfg(name).fixed_input_size else None)


@cache
def _on_meta(name: str, size: tuple[int, int] | None) -> nn.Module:
    # Some models draw while they are built; what comes after must not depend on that.
    with torch.random.fork_rng(devices=[]), torch.device("meta"):
        return _create(name, size or ANY_SIZE).eval()


def _create(name: str, size: tuple[int, int] | None, **arguments: Any) -> nn.Module:  # noqa: ANN401
    if size is not None and timm.get_pretrained_cfg(name).fixed_input_size:
        arguments["img_size"] = size
    module: nn.Module = timm.create_model(name, num_classes=0, **arguments)
    return module


def _not_on_hub(name: str, got: str) -> str:
    remedy = "Choose another backbone, or pretrained none."
    return expected("backbone/pretrained", f"weights of {name} on the hub", got, remedy)


def _create_from_file(name: str, size: tuple[int, int], file: Path) -> nn.Module:
    """Return the model with a file's weights, all of them but the classifier's.

    timm does the loading, since it also fits position tables to the size. Its strict form is
    the one for weights with as many classes as the model has, which is none.
    """
    weights = read_weights(name, file)
    overlay = {"state_dict": weights, "num_classes": 0, "label_offset": 0}
    try:
        module = _create(name, size, pretrained=True, pretrained_cfg_overlay=overlay)
    except (RuntimeError, KeyError) as error:
        found = _differences(name, size, weights) or _shortened(str(error))
        raise ConfigError(
            expected("backbone/pretrained", f"weights of {name} in {file}", found)
        ) from error
    # Else every copy of the weights would live as long as the model.
    pretrained_cfg: Any = module.pretrained_cfg
    del pretrained_cfg["state_dict"]
    return module


def _differences(name: str, size: tuple[int, int], weights: dict[str, Tensor]) -> str:
    """Return in words how weights differ in name or shape from those of the model."""
    with torch.device("meta"):
        wanted = _create(name, size).state_dict()
    common = wanted.keys() & weights.keys()
    differences = {
        "none by the name of": wanted.keys() - weights.keys(),
        "unknown": weights.keys() - wanted.keys(),
        "of another shape": {key for key in common if wanted[key].shape != weights[key].shape},
    }
    return "; ".join(f"{what} {_listed(keys)}" for what, keys in differences.items() if keys)


def _listed(names: Set[str]) -> str:
    first, *others = sorted(names)
    return f"{first} and {len(others)} more" if others else first


def _did_you_mean(name: str) -> str:
    known = timm.list_models()
    # A short name is a beginning, which counts for little among the letters of the whole.
    longer = [model for model in known if name and model.startswith(name)]
    near = difflib.get_close_matches(name, known, n=NUM_SUGGESTIONS, cutoff=0.4)
    close = list(dict.fromkeys([*sorted(longer, key=len), *near]))[:NUM_SUGGESTIONS]
    return f", such as {', '.join(close)}" if close else ""


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MAX_MESSAGE else f"{line[:MAX_MESSAGE]}…"

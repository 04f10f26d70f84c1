"""Pretrained weights on this machine: the start that ships with the product, and folders."""

import json
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from trainable.errors import ConfigError, expected
from trainable.timm_import import timm

SMALL = Path(__file__).parent / "small.safetensors"
WEIGHTS_ENDING = ".safetensors"
# What a model's folder on the hub calls its weights.
HUB_FILE = f"model{WEIGHTS_ENDING}"


def small_file(name: str) -> Path:
    """Return the start that ships with the product.

    Raises:
        ConfigError: If it is of another model, or not installed.
    """
    try:
        backbone = json.loads(SMALL.with_suffix(".json").read_text())["backbone"]
    except OSError as error:
        what, got = "the small start of this product", f"none ({error.filename}: {error.strerror})"
        remedy = "Install it anew, or set backbone/pretrained to none or hub."
        raise ConfigError(expected("backbone/pretrained", what, got, remedy)) from error
    if name != backbone:
        remedy = f"Set backbone/name to {backbone}, or backbone/pretrained to none or hub."
        raise ConfigError(
            expected("backbone/pretrained", f"none, hub or a path for {name}", "'small'", remedy)
        )
    return SMALL


def names_in_folder(name: str) -> tuple[str, ...]:
    """Return the paths inside a folder under which a model's weights are looked for, in order.

    A name without a tag also stands for timm's default one; a name with a tag for no other.

    Example:
        >>> names_in_folder("test_vit.r160_in1k")
        ('test_vit.r160_in1k.safetensors', 'test_vit.r160_in1k/model.safetensors')
        >>> names_in_folder("test_vit")[2:]
        ('test_vit.r160_in1k.safetensors', 'test_vit.r160_in1k/model.safetensors')
    """
    tag = "" if "." in name else timm.get_pretrained_cfg(name).tag
    stems = [name, f"{name}.{tag}"] if tag else [name]
    return tuple(path for stem in stems for path in (stem + WEIGHTS_ENDING, f"{stem}/{HUB_FILE}"))


def file_in_folder(folder: Path, name: str) -> Path:
    """Return the file of a model's weights in a folder.

    Raises:
        ConfigError: If there is none, with the names that it may have.
    """
    names = names_in_folder(name)
    found = next((folder / path for path in names if (folder / path).is_file()), None)
    if found is None:
        got = "none" if folder.is_dir() else "no such folder"
        remedy = f"Put them there as {' or '.join(names)}."
        what = f"weights of {name} in {folder}"
        raise ConfigError(expected("backbone/pretrained", what, got, remedy))
    return found


def read_weights(name: str, file: Path) -> dict[str, Tensor]:
    """Return a model's weights without its classifier, of half precision in full.

    The file is mapped into memory: processes of one machine share what they read of it.

    Raises:
        ConfigError: If it is no safetensors file.
    """
    try:
        weights = load_file(file)
    except (SafetensorError, OSError) as error:
        raise ConfigError(
            expected("backbone/pretrained", "a safetensors file", f"{file} ({error})")
        ) from error
    classifiers = timm.get_pretrained_cfg(name).classifier or ()
    names = (classifiers,) if isinstance(classifiers, str) else classifiers
    dropped = {f"{classifier}.{kind}" for classifier in names for kind in ("weight", "bias")}
    return {key: _full(value) for key, value in weights.items() if key not in dropped}


def _full(value: Tensor) -> Tensor:
    return value.float() if value.is_floating_point() else value

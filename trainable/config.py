"""The configuration of a trial: one field a family, and how a wrong one is refused."""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    TypeAdapter,
    ValidationError,
)
from pydantic_core import ErrorDetails

from trainable.augmentations import Augmentation
from trainable.augmentations.presets import NoAugmentation
from trainable.backbones import Backbone
from trainable.cutmix import Mixing, NoMixing
from trainable.errors import ConfigError, expected, requirement, unknown
from trainable.freezing import Freeze
from trainable.freezing.fixed import FreezeNone
from trainable.heads import Head
from trainable.heads.layered import Linear
from trainable.losses import Loss
from trainable.losses.cross_entropy import CrossEntropy
from trainable.optimizers import Optimizer
from trainable.optimizers.adam import AdamW
from trainable.part import Part, members
from trainable.precision import PrecisionName
from trainable.samplers import Sampling
from trainable.samplers.shuffled import PlainSampling
from trainable.schedules import Schedule
from trainable.schedules.base import whole_epochs
from trainable.schedules.constant import Constant
from trainable.seeds import LARGEST_SEED

NO_LABEL_SHIFT = 60
SMALLEST_SIDE = 8
LARGEST_SIDE = 2048


def _parse_size(value: object) -> object:
    """Read "128x96" as (128, 96); leave anything else to the field's own checks."""
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"(\d+)x(\d+)", value)
    if match is None:
        raise ValueError("height x width in pixels, such as 128x96")
    return int(match[1]), int(match[2])


Side = Annotated[int, Field(ge=SMALLEST_SIDE, le=LARGEST_SIDE)]
Size = Annotated[tuple[Side, Side], BeforeValidator(_parse_size), PlainSerializer(list)]


class TrialConfig(Part):
    """Everything that decides how one trial is trained."""

    backbone: Backbone
    head: Head = Linear()
    resize: Size = Field((128, 96), description="Height and width of the images in pixels.")
    sampler: Sampling = PlainSampling()
    loss: Loss = CrossEntropy()
    optimizer: Optimizer = AdamW()
    schedule: Schedule = Constant()
    augmentation: Augmentation = NoAugmentation()
    cutmix: Mixing = NoMixing()
    freeze: Freeze = FreezeNone()
    label_shift: int = Field(
        NO_LABEL_SHIFT,
        ge=1,
        le=NO_LABEL_SHIFT,
        description="Age in years from which a training image counts as the oldest group's.",
    )
    batch_size: int = Field(64, ge=2, description="Images a training step.")
    epochs: int = Field(30, ge=1, description="Epochs of a trial that nothing stops.")
    patience: int | None = Field(
        None, ge=1, description="Epochs without a new best value after which a trial ends."
    )
    gradient_clip: float | None = Field(
        None, gt=0, description="Largest norm that the gradients may have."
    )
    ema: float | None = Field(
        None, gt=0, lt=1, description="Decay of the weights' moving average, which is scored."
    )
    precision: PrecisionName = Field("fp32", description="Numeric precision of forward passes.")
    compile: bool = Field(
        default=False, description="Whether torch.compile makes kernels of the network's own."
    )
    deterministic: bool = Field(
        default=False, description="Whether a GPU gives the same bits every time, but slower."
    )
    seed: int = Field(
        0, ge=0, le=LARGEST_SEED, description="Seed of everything that the trial draws."
    )

    @property
    def earliest_stop_epoch(self) -> int:
        """Return the epochs before which its values say too little to stop it, 0 if they never do.

        Those are its warm-up and, after it, the frozen phase of melting with the warm-up of what
        has thawed; at most all epochs.
        """
        warmup_epochs = whole_epochs(self.schedule.warmup_share, self.epochs)
        return min(self.epochs, warmup_epochs + self.freeze.epochs_to_thaw(self.epochs))


def nest(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Turn names such as ``optimizer/lr`` into nested dictionaries; nested ones pass through.

    Example:
        >>> nest({"optimizer/name": "sgd", "optimizer/lr": 0.1, "seed": 1})
        {'optimizer': {'name': 'sgd', 'lr': 0.1}, 'seed': 1}
    """
    nested: dict[str, Any] = {}
    for name, value in flat.items():
        family, _, field = name.partition("/")
        if field:
            nested.setdefault(family, {})[field] = value
        else:
            nested[family] = dict(value) if isinstance(value, Mapping) else value
    return nested


def parse_config(values: Mapping[str, Any]) -> TrialConfig:
    """Check a flat or nested configuration and return it with its defaults filled in.

    Args:
        values: Hyperparameters, flat (``"optimizer/lr": 0.1``) or nested.

    Raises:
        ConfigError: With every problem found, a line each.
    """
    try:
        return TrialConfig.model_validate(nest(values))
    except ValidationError as error:
        raise ConfigError([_worded(detail) for detail in error.errors()]) from error


def parsed_value(name: str, value: object) -> object:
    """Return a value as a trial reads it: a number written as text is a number.

    Args:
        name: Flat name of the hyperparameter.
        value: Its value; returned as it is where no trial would accept it, or where it is read
            as something that is not a single value, such as a size.

    Example:
        >>> parsed_value("optimizer/lr", ".001"), parsed_value("epochs", 100.0)
        (0.001, 100)
        >>> parsed_value("resize", "64x48"), parsed_value("epochs", "many")
        ('64x48', 'many')
    """
    for reader in _readers(name):
        try:
            read: object = reader.validate_python(value)
        except ValidationError:
            continue
        return read if isinstance(read, bool | int | float | str | None) else value
    return value


@lru_cache(maxsize=256)
def _readers(name: str) -> tuple[TypeAdapter[Any], ...]:
    """Return what reads a hyperparameter: once for each part of its family that has it."""
    family, _, field = name.partition("/")
    if family not in TrialConfig.model_fields:
        return ()
    owners: tuple[type[Part], ...] = family_members(family) if field else (TrialConfig,)
    found = (owner.model_fields.get(field or family) for owner in owners)
    config = ConfigDict(allow_inf_nan=False)
    annotations: list[Any] = [Annotated[field.annotation, field] for field in found if field]
    return tuple(TypeAdapter(annotation, config=config) for annotation in annotations)


def field_names() -> dict[str, tuple[str, ...]]:
    """Return the flat names of all hyperparameters: by family, or by themselves.

    Example:
        >>> field_names()["cutmix"]
        ('cutmix/name', 'cutmix/probability', 'cutmix/beta')
    """
    return {name: tuple(_names_of(name)) for name in TrialConfig.model_fields}


def family_members(family: str) -> tuple[type[Part], ...]:
    """Return the parts of a family; none for a field that is a single value."""
    field = TrialConfig.model_fields[family]
    # Pydantic takes the discriminator out of the annotation: what is left is the plain union.
    found = members(field.annotation)
    return tuple(m for m in found if isinstance(m, type) and issubclass(m, Part))


def _names(family: str) -> list[str]:
    return sorted(part.part_name() for part in family_members(family))


def _names_of(family: str) -> Iterator[str]:
    parts = family_members(family)
    fields = dict.fromkeys(field for part in parts for field in part.model_fields)
    yield from (f"{family}/{field}" for field in fields)
    if not parts:
        yield family


def _worded(detail: ErrorDetails) -> str:
    location = [str(part) for part in detail["loc"]]
    family = location[0] if location else "configuration"
    if detail["type"] == "union_tag_invalid":
        tag = str(detail["ctx"]["tag"])
        return unknown(f"{family}/name", f"a known {family}", tag, _names(family))
    if detail["type"] == "union_tag_not_found":
        return expected(f"{family}/name", "a name", "none", f"Known: {', '.join(_names(family))}.")
    path = "/".join([family, *_without_tag(family, location[1:])])
    if detail["type"] == "extra_forbidden":
        return _unknown_field(path, family, location)
    if detail["type"] == "missing":
        return expected(path, "a value", "none")
    return expected(path, requirement(detail["msg"]), repr(detail["input"]))


def _without_tag(family: str, rest: list[str]) -> list[str]:
    """Drop the name of the part, which pydantic puts between a family and its field."""
    parts = family_members(family) if family in TrialConfig.model_fields else ()
    is_union = len(parts) > 1
    return rest[1:] if is_union and rest else rest


def _unknown_field(path: str, family: str, location: list[str]) -> str:
    if len(location) == 1:
        return unknown(path, "a known hyperparameter", path, TrialConfig.model_fields)
    parts = family_members(family)
    chosen = [part for part in parts if len(parts) == 1 or part.part_name() == location[1]]
    known = [f"{family}/{field}" for part in chosen for field in part.model_fields]
    owner = family if len(parts) == 1 else f"{family}/name={location[1]}"
    return unknown(path, f"a hyperparameter of {owner}", path, known)

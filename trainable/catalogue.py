"""What can be searched, as a table made from the parts: ``python -m trainable.catalogue``."""

import sys
from collections.abc import Iterator
from typing import Annotated, Any, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo

from trainable.config import TrialConfig, family_members, field_names
from trainable.part import Part

HEADER = ("| name | what it is | hyperparameters |", "| --- | --- | --- |")
SIGNS = {Ge: "≥", Gt: ">", Le: "≤", Lt: "<"}


def catalogue() -> str:
    """Return a Markdown table of every part of every family, then of the single values.

    Returns:
        Rows of name, first docstring line, and hyperparameters with their ranges and defaults.
    """
    return "\n".join([*HEADER, *_part_rows(), *_value_rows()])


def summary() -> str:
    """Return a Markdown table of the families: their members, and their hyperparameters."""
    head = ("| family | parts | hyperparameters |", "| --- | --- | --- |")
    families = [name for name in TrialConfig.model_fields if family_members(name)]
    values = [name for name in TrialConfig.model_fields if not family_members(name)]
    rows = [f"| `{name}` | {_part_names(name)} | {_fields(name)} |" for name in families]
    return "\n".join([*head, *rows, f"| single values | {', '.join(values)} | |"])


def _part_names(family: str) -> str:
    parts = family_members(family)
    return ", ".join(p.part_name() for p in parts) if len(parts) > 1 else "any timm model"


def _fields(family: str) -> str:
    fields = [name.partition("/")[2] for name in field_names()[family]]
    return ", ".join(field for field in fields if field != "name")


def _part_rows() -> Iterator[str]:
    for family in TrialConfig.model_fields:
        for part in family_members(family):
            is_family = len(family_members(family)) > 1
            name = f"`{family}/name={part.part_name()}`" if is_family else f"`{family}`"
            yield f"| {name} | {part.description()} | {_hyperparameters(part, family)} |"


def _value_rows() -> Iterator[str]:
    for name, field in TrialConfig.model_fields.items():
        if not family_members(name):
            yield f"| `{name}` | {field.description or ''} | {_range(field)} |"


def _hyperparameters(part: type[Part], family: str) -> str:
    is_family = len(family_members(family)) > 1
    fields = {n: f for n, f in part.model_fields.items() if not (is_family and n == "name")}
    return "; ".join(f"`{family}/{name}` {_range(field)}" for name, field in fields.items())


def _range(field: FieldInfo) -> str:
    """Return what a field may be and what it is if nothing is said."""
    limits = [
        f"{sign} {getattr(limit, kind.__name__.lower()):g}"
        for limit in [*field.metadata, *_inner_metadata(field.annotation)]
        for kind, sign in SIGNS.items()
        if isinstance(limit, kind)
    ]
    default = "needed" if field.is_required() else f"default {_shown(field.default)}"
    return ", ".join([*_choices(field.annotation), *limits, default])


def _inner_metadata(annotation: Any) -> list[Any]:  # noqa: ANN401 - an annotation
    """Return the limits of ``Annotated[int, limits] | None``."""
    return [
        limit
        for choice in get_args(annotation)
        if get_origin(choice) is Annotated
        for info in choice.__metadata__
        for limit in getattr(info, "metadata", [info])
    ]


def _choices(annotation: Any) -> list[str]:  # noqa: ANN401 - an annotation
    texts = [choice for choice in get_args(annotation) if isinstance(choice, str)]
    return [" or ".join(texts)] if texts else []


def _shown(default: object) -> str:
    if isinstance(default, tuple):
        return "x".join(map(str, default))
    return str(default)


if __name__ == "__main__":
    sys.stdout.write(f"{catalogue()}\n")

"""What every part of a trial has in common: frozen fields with ranges, a name, a description."""

from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """One member of a family: its fields are its hyperparameters, ``build`` makes the object.

    A field that the part does not have is refused: a value without effect would look like a
    finding in the results.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @classmethod
    def description(cls) -> str:
        """Return the first line of the part's docstring."""
        return (cls.__doc__ or "").strip().splitlines()[0]

    @classmethod
    def part_name(cls) -> str:
        """Return the name that tells this part from its siblings, such as ``focal``."""
        default: Any = cls.model_fields["name"].default
        return str(default)


def members(union: object) -> tuple[type[Part], ...]:
    """Return the parts of a family, in the order of its table of contents.

    Args:
        union: The family's union type, ``Annotated[A | B, Field(discriminator="name")]``, or
            a single part.
    """
    inner = get_args(union)[0] if get_origin(union) is Annotated else union
    return get_args(inner) or (inner,)

"""The manifest of a bundle: its members, what they predict, how good they are."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from analysis.formats.names import FILES, FORMATS, SAFETENSORS, FormatName
from trainable.data.index import Attribute, LabelSpace
from trainable.errors import ConfigError, expected
from trainable.nearby import nearest_path

VERSION: Literal[1] = 1
CONFIG = "config.json"
WEIGHT_SUM_TOLERANCE = 1e-6

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Channels = tuple[float, float, float]


class Entry(BaseModel):
    """A piece of the manifest: a key that it does not know is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Score(Entry):
    """A metric's value, and where known the interval that holds it with 90 % probability."""

    value: float
    interval: tuple[float, float] | None = None


class AttributeEntry(Entry):
    """An attribute of the images, as in ``trainable.data.index.Attribute``."""

    values: tuple[str, ...] = Field(min_length=1)
    of_class: tuple[int, ...] | None = None


class MemberEntry(Entry):
    """One network of the bundle.

    Args:
        folder: Its folder in the bundle.
        weight: Its share in the average of probabilities.
        run: Name of the search that trained it.
        trial: Its number there.
        size: Height and width of its input in pixels.
        mean: What it subtracts, by channel, in [0, 1].
        std: What it divides by, by channel, in [0, 1].
        metrics: Its own scores, by names such as ``test/f1``.
        soup_of: Of a soup, the trials whose weights were averaged, as ``RUN/0007``; ``run`` and
            ``trial`` are those of the best of them.
        trained_on: What it was trained on if not on the training part, in a few words.
        formats: The formats that it is there in; safetensors always.
    """

    folder: str = Field(pattern=r"^members/[0-9]+$")
    weight: float = Field(gt=0, le=1)
    run: str
    trial: int = Field(ge=0)
    size: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]]
    mean: Channels
    std: Channels
    metrics: dict[str, Score]
    soup_of: tuple[str, ...] | None = None
    trained_on: str | None = None
    formats: tuple[FormatName, ...] = (SAFETENSORS,)

    @property
    def files(self) -> tuple[str, ...]:
        """Return the files that it must have, by path in the bundle."""
        names = (CONFIG, *(FILES[name] for name in (SAFETENSORS, *self.formats)))
        return tuple(f"{self.folder}/{name}" for name in dict.fromkeys(names))


class DataEntry(Entry):
    """The data that the members were trained and scored on.

    Args:
        source: What ``--data`` said.
        fingerprint: Another one for other images.
        num_images: Number of images by part.
        num_people: Number of people by part; none is in two.
        crop: Height and width of the centre of every image that alone is used, None for all.
    """

    source: str
    fingerprint: str
    num_images: dict[str, int]
    num_people: dict[str, int]
    crop: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]] | None = None


class Manifest(Entry):
    """What ``bundle.json`` says.

    Args:
        version: Of the format.
        created_at: Time in UTC, ISO 8601.
        chosen: How the members were chosen, a sentence.
        data: What they were trained and scored on.
        classes: Names of the classes, by class number.
        attributes: Attributes by name.
        members: The networks.
        metrics: Scores of the weighted average, by names such as ``test/f1``; ``crossfit/f1`` is
            of validation people who had no part in choosing the members, ``oof/f1`` of people
            whom the members that predict them were not trained on.
        files: SHA-256 of every file but this one, by path in the bundle.
    """

    version: Literal[1] = VERSION
    created_at: str
    chosen: str
    data: DataEntry
    classes: tuple[str, ...] = Field(min_length=2)
    attributes: dict[str, AttributeEntry]
    members: tuple[MemberEntry, ...] = Field(min_length=1)
    metrics: dict[str, Score]
    files: dict[str, Sha256] = {}

    @model_validator(mode="after")
    def _is_consistent(self) -> "Manifest":
        if abs(sum(member.weight for member in self.members) - 1) > WEIGHT_SUM_TOLERANCE:
            raise ValueError("weights that sum to 1")
        if len({member.folder for member in self.members}) < len(self.members):
            raise ValueError("a folder of its own for each member")
        for name, attribute in self.attributes.items():
            known = range(len(attribute.values))
            of_class = attribute.of_class
            if of_class is not None and len(of_class) != len(self.classes):
                raise ValueError(f"a value of attribute {name!r} for each class")
            if of_class is not None and any(number not in known for number in of_class):
                raise ValueError(f"numbers of values of attribute {name!r}")
        return self

    @property
    def formats(self) -> tuple[FormatName, ...]:
        """Return the formats that every member is there in."""
        of_members = [member.formats for member in self.members]
        return tuple(name for name in FORMATS if all(name in of for of in of_members))

    @property
    def label_space(self) -> LabelSpace:
        """Return classes and attributes as heads and metrics need them."""
        attributes = {n: Attribute(a.values, a.of_class) for n, a in self.attributes.items()}
        return LabelSpace(self.classes, attributes)


def parse_manifest(file: Path) -> Manifest:
    """Read a manifest.

    Raises:
        ConfigError: If there is none, it is of another version, or anything in it is not as it
            must be.
    """
    if not file.is_file():
        what = "a bundle that analysis.export wrote"
        got = f"no {file.name}" if file.parent.is_dir() else "no such folder"
        raise ConfigError(expected(str(file.parent), what, got, nearest_path(file.parent)))
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigError(expected(str(file), "JSON", f"'{error}'")) from error
    version = content.get("version") if isinstance(content, dict) else None
    if version != VERSION:
        raise ConfigError(expected(f"{file}: version", str(VERSION), repr(version)))
    try:
        return Manifest.model_validate(content)
    except ValidationError as error:
        raise ConfigError([_worded(file, detail) for detail in error.errors()]) from error


def _worded(file: Path, detail: Any) -> str:  # noqa: ANN401  # pydantic's dictionary
    where = "/".join(map(str, detail["loc"]))
    message = str(detail["msg"])
    what = message.removeprefix("Input should be ").removeprefix("Value error, ")
    if detail["type"] == "extra_forbidden":
        return expected(str(file), "known keys only", where)
    got = "none" if detail["type"] == "missing" else "something else"
    return expected(f"{file}: {where}" if where else str(file), what, got)

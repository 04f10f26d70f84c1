"""From the text of ``--data`` to a source of images."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from trainable.buckets import is_url, opened
from trainable.data.sources import DataSource
from trainable.data.sources.base import PathSource, Source
from trainable.data.sources.bucket import Bucket
from trainable.data.sources.layouts import source_at
from trainable.errors import ConfigError, expected, unknown
from trainable.nearby import closest, nearest_path
from trainable.part import members

SOURCES: tuple[type[Source], ...] = tuple(s for s in members(DataSource) if issubclass(s, Source))
NAMED = {s.part_name(): s for s in SOURCES if not issubclass(s, PathSource | Bucket)}
ON_A_DISK = ("file://", "local://")


def open_source(text: str) -> Source:
    """Return the source that a text such as ``faces:people=200`` or ``s3://team/photos`` means.

    Args:
        text: A name, with ``:key=value,key=value`` where it takes parameters; else the path or
            URL of a folder or table. A folder with the name of a source is meant by ``./name``.

    Raises:
        ConfigError: If there is no such source or path, or a parameter is wrong.
    """
    if (made := source_of_any_machine(text)) is not None:
        return made
    path = Path(opened(text)[1]) if is_url(text) else Path(text).expanduser()
    if text and path.exists():
        names = " or ".join(repr(name) for name in sorted(NAMED))
        return source_at(path, remedy=f"Or give {names}.")
    there = nearest_path(path)
    if path.suffix or "/" in text:
        raise ConfigError(expected("data", "an existing folder or table", f"{text!r}", there))
    what = "a known source, or a folder or table"
    name = text.partition(":")[0]
    problem = unknown("data", what, name, NAMED)
    raise ConfigError(
        problem if closest(name, NAMED) else " ".join(filter(None, [problem, there]))
    )


def source_of_any_machine(text: str) -> Source | None:
    """Return the source that a text means if every machine can make its images for itself.

    Raises:
        ConfigError: If a parameter is wrong.
    """
    name, _, parameters = text.partition(":")
    if name in NAMED:
        return _named(name, parameters)
    return Bucket(url=text) if is_url(text) and not text.startswith(ON_A_DISK) else None


def _named(name: str, parameters: str) -> Source:
    source = NAMED[name]
    pairs = [pair.partition("=") for pair in parameters.split(",") if pair.strip()]
    values = {key.strip(): value.strip() for key, _, value in pairs}
    try:
        return source.model_validate(values)
    except ValidationError as error:
        raise ConfigError(list(_worded(source, error))) from error


def _worded(source: type[Source], error: ValidationError) -> Iterator[str]:
    known = [key for key in source.model_fields if key != "name"]
    for problem in error.errors():
        where = f"data {source.part_name()}:{'.'.join(map(str, problem['loc']))}"
        if problem["type"] == "extra_forbidden":
            yield unknown(where, "a known parameter", str(problem["loc"][-1]), known or ["none"])
        else:
            yield expected(where, _what(problem["msg"]), repr(problem["input"]))


def _what(message: Any) -> str:  # noqa: ANN401
    """Turn pydantic's "Input should be greater than 0" into what was expected."""
    return str(message).removeprefix("Input should be ").partition(", ")[0]

"""How the values of options are written: durations, sizes, pinned hyperparameters.

Each function reads one text as the ``type`` of an argparse argument, which puts the option's name
in front of the message.
"""

import argparse
import json
import math
import re
from pathlib import Path
from typing import Any, NoReturn, get_args

from search.options import AUTO, TrackerName
from trainable.byte_size import KNOWN_BY, normal_size
from trainable.errors import ConfigError
from trainable.nearby import nearest
from trainable.seeds import LARGEST_SEED

_DURATION = re.compile(
    r"(?:(?P<d>[\d.]+)d)?(?:(?P<h>[\d.]+)h)?(?:(?P<m>[\d.]+)m(?:in)?)?(?:(?P<s>[\d.]+)s)?"
)
_SECONDS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_RUN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_HEIGHT_AND_WIDTH = re.compile(r"([1-9]\d{0,4})x([1-9]\d{0,4})")
_PASSWORD = re.compile(r"(://[^:/@]*):.*@")
CLIENT_SCHEME = "ray://"
_HOST_AND_PORT = re.compile(r"[^:/\s]+:\d{1,5}")


def _refuse(what: str, text: str, remedy: str = "") -> NoReturn:
    # argparse puts the option's name in front.
    tail = f" {remedy}" if remedy else ""
    raise argparse.ArgumentTypeError(f"expected {what}, got {text!r}.{tail}")


def whole_number(text: str) -> int:
    """Return a count that may be 0."""
    if not (text.isascii() and text.isdigit()):
        _refuse("a whole number of at least 0", text)
    return int(text)


def number_or_share(text: str) -> int | str:
    """Return a count of at least 1, or a share such as ``25%``."""
    if text.endswith("%"):
        if not 0 < _number(text[:-1]) <= 100:
            _refuse("a share above 0% and up to 100%", text)
        return text
    if not (text.isascii() and text.isdigit() and int(text)):
        _refuse("a whole number of at least 1, or a share such as 50%", text)
    return int(text)


def seed(text: str) -> int:
    """Return a seed that every generator takes."""
    if not (text.isascii() and text.isdigit() and int(text) <= LARGEST_SEED):
        _refuse(f"a whole number from 0 to {LARGEST_SEED}", text)
    return int(text)


def address(text: str) -> str:
    """Return the address of a Ray: ``local``, ``auto``, ``host:port`` or ``ray://host:port``."""
    place = text.removeprefix(CLIENT_SCHEME)
    if text not in ("local", "auto") and not _HOST_AND_PORT.fullmatch(place):
        _refuse("local, auto, host:port or ray://host:port of a running cluster", text)
    return text


def is_of_client(text: str) -> bool:
    """Return whether an address is that of a server of Ray's client."""
    return text.startswith(CLIENT_SCHEME)


def reduction_factor(text: str) -> int:
    """Return a factor by which trials can be thinned out."""
    if not (text.isascii() and text.isdigit() and int(text) >= 2):
        _refuse("a whole number of at least 2", text)
    return int(text)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def amount(text: str) -> float:
    """Return an amount of something, in whatever unit."""
    number = _number(text)
    if not 0 < number < math.inf:
        _refuse("a number above 0", text)
    return number


def share(text: str) -> float:
    """Return a share, above 0 and at most 1."""
    number = _number(text)
    if not 0 < number <= 1:
        _refuse("a share above 0 and at most 1, such as 0.5", text)
    return number


def gpus(text: str) -> float | str:
    """Return a number of whole GPUs, a share of one, or ``auto``."""
    if text == AUTO:
        return AUTO
    number = _number(text)
    if not 0 <= number < math.inf or (number > 1 and number != int(number)):
        _refuse("auto, 0, a share of one GPU such as 0.25, or a whole number of GPUs", text)
    return number


def duration_s(text: str) -> float:
    """Return the seconds of a duration such as ``1h30m``.

    Example:
        >>> duration_s("1h30m"), duration_s("45s"), duration_s("1.5 h"), duration_s("2d")
        (5400.0, 45.0, 5400.0, 172800.0)
    """
    match = _DURATION.fullmatch("".join(text.lower().split()))
    parts = {unit: value for unit, value in match.groupdict().items() if value} if match else {}
    seconds = math.fsum(_number(value) * _SECONDS[unit] for unit, value in parts.items())
    if not seconds > 0:
        hint = f"Did you mean {text}s, {text}m or {text}h?" if _number(text) > 0 else ""
        _refuse("a duration such as 2h, 90m, 45s, 1h30m or 2d", text, hint)
    return seconds


def byte_size(text: str) -> str:
    """Return a size on disk as it is best written.

    Example:
        >>> byte_size("20 gib")
        '20GiB'
    """
    try:
        return normal_size(text)
    except ValueError as error:
        _refuse(KNOWN_BY, text, str(error))


def run_name(text: str) -> str:
    """Return a name that is a folder's name on every system."""
    if not _RUN_NAME.fullmatch(text):
        _refuse("a name of letters, digits, '.', '_' and '-'", text)
    return text


def height_and_width(text: str) -> tuple[int, int]:
    """Return height and width in pixels, such as ``320x256``."""
    match = _HEIGHT_AND_WIDTH.fullmatch(text)
    if not match:
        _refuse("height x width in pixels, such as 320x256", text)
    return int(match[1]), int(match[2])


def folder(text: str) -> Path:
    """Return a folder of this machine, ``~`` expanded."""
    if "://" in text:
        _refuse("a folder on this machine or a mounted one", text)
    return Path(text).expanduser()


def runs_folder(text: str) -> Path | str:
    """Return a folder of run folders, or the URL of one in a bucket."""
    return bucket_url(text) if "://" in text else folder(text)


def absolute_folder(text: str) -> Path:
    """Return a folder of this machine that processes in other folders find, too."""
    return folder(text).absolute()


def storage_url(text: str) -> str:
    """Return a database's URL without its password, which goes to the environment."""
    from analysis.study_place import without_password

    try:
        return without_password(text)
    except ValueError as error:
        _refuse(str(error), masked(text))


def bucket_url(text: str) -> str:
    """Return the URL of a folder in a bucket, of a kind that can be opened."""
    from trainable.buckets import is_url, opened

    if not is_url(text):
        _refuse("the URL of a folder in a bucket, such as s3://bucket/runs", text)
    try:
        opened(text)
    except ConfigError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text.rstrip("/")


def trackers(text: str) -> tuple[str, ...]:
    """Return the names of trackers, separated by commas.

    Example:
        >>> trackers("mlflow,wandb")
        ('mlflow', 'wandb')
    """
    known = get_args(TrackerName)
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
    if wrong := [name for name in names if name not in known]:
        _refuse(f"one or several of {', '.join(known)}", text, nearest(wrong[0], known))
    return names


def masked(text: str) -> str:
    """Return a text without the password of a URL in it.

    Example:
        >>> masked("--storage=postgresql://me:secret@host/db")
        '--storage=postgresql://me@host/db'
    """
    return _PASSWORD.sub(r"\1@", text)


def pin(text: str) -> tuple[str, Any]:
    """Return name and value of ``NAME=VALUE``; the value as JSON, or else as text.

    Example:
        >>> pin("optimizer/lr=1e-4"), pin("loss/name=focal"), pin("resize=[64, 48]")
        (('optimizer/lr', 0.0001), ('loss/name', 'focal'), ('resize', [64, 48]))
    """
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        _refuse("NAME=VALUE such as optimizer/lr=1e-4", text)
    try:
        return name, json.loads(value, parse_constant=str)
    except json.JSONDecodeError:
        return name, value

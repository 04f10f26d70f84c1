"""Paths that a user gives as hyperparameters."""

from collections.abc import Mapping
from pathlib import Path

_COPIES: dict[str, Path] = {}


def absolute_if_there(text: str) -> str:
    """Return the absolute form of a path that exists, and any other text as it is.

    Trials run in other folders than the one that a relative path was given in. Links are not
    followed: what they point to may have another name and ending.

    Example:
        >>> absolute_if_there("no/such.yaml")
        'no/such.yaml'
    """
    path = Path(text)
    return str(path.absolute()) if path.exists() else text


def add_copies(copies: Mapping[str, Path]) -> None:
    """Have this process take copies for files that this machine does not have.

    Args:
        copies: Where each file's copy is, by the path that the user gave, absolute.
    """
    _COPIES.update(copies)


def on_this_machine(text: str) -> Path:
    """Return a file that the user gave, or its copy where this machine does not have it.

    Example:
        >>> add_copies({"/elsewhere/pipeline.yaml": Path("copy.yaml")})
        >>> on_this_machine("/elsewhere/pipeline.yaml").name
        'copy.yaml'
    """
    path = Path(text)
    return path if path.exists() else _COPIES.get(text, path)

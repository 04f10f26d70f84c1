"""Paths that a user gives as hyperparameters."""

from pathlib import Path


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

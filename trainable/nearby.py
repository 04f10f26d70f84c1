"""What a user may have meant: the nearest of known names, the nearest file that exists."""

import difflib
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

MOST_ENTRIES = 2000


def closest(got: str, names: Iterable[str]) -> str | None:
    """Return the known name that is nearest to one that is not known, None where none is near.

    Case does not count, and the last part of a path stands for all of it.

    Example:
        >>> closest("focl", ["f1", "focal"]), closest("lr", ["optimizer/lr", "ema"])
        ('focal', 'optimizer/lr')
    """
    known = list(dict.fromkeys(names))
    for name in known:
        if got.casefold() in (name.casefold(), name.rpartition("/")[2].casefold()):
            return name
    by_case = {name.casefold(): name for name in known}
    close = difflib.get_close_matches(got.casefold(), by_case, n=1)
    return by_case[close[0]] if close else None


def nearest(got: str, names: Iterable[str]) -> str:
    """Return a question after the known name that is nearest to one that is not known.

    Args:
        got: What was given.
        names: What is known.

    Returns:
        The question; empty where nothing is near.

    Example:
        >>> nearest("focl", ["f1", "focal"]), nearest("bread", ["f1", "focal"])
        ("Did you mean 'focal'?", '')
    """
    name = closest(got, names)
    return "" if name is None else f"Did you mean {name!r}?"


def nearest_path(path: Path, pattern: str = "*") -> str:
    """Return a question after the existing path that is nearest to one that does not exist.

    There is none where the path exists.

    Args:
        path: The path that does not exist; its first part that is missing is what counts.
        pattern: What the name of an entry must match to be asked after.
    """
    if path.exists():
        return ""
    missing = path
    while not missing.parent.is_dir() and missing.parent != missing:
        missing, pattern = missing.parent, "*"
    try:
        entries = [e.name for e in islice(missing.parent.glob(pattern), MOST_ENTRIES)]
    except OSError:
        return ""
    name = closest(missing.name, (entry for entry in entries if not entry.startswith(".")))
    if name is None:
        return ""
    found = missing.parent / name
    whole = found / path.relative_to(missing)
    return f"Did you mean {str(whole if whole.exists() else found)!r}?"

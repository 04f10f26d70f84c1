"""Numbers as texts, the same everywhere in the report."""

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd


def number(value: float) -> str:
    """Return a metric as text, empty where it is missing.

    Example:
        >>> number(0.81234), number(float("nan"))
        ('0.8123', '')
    """
    return "" if pd.isna(value) else f"{value:.4f}"


def between(low: float, high: float) -> str:
    """Return an interval as text, empty where it is missing."""
    return "" if pd.isna(low) else f"{low:.4f} to {high:.4f}"


def short(value: object) -> str:
    """Return a hyperparameter's value as text.

    Example:
        >>> short(0.00012345), short("64x48"), short(3)
        ('0.000123', '64x48', '3')
    """
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def duration(seconds: float) -> str:
    """Return a duration as text.

    Example:
        >>> duration(42.4), duration(200), duration(9000)
        ('42 s', '3 min 20 s', '2 h 30 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600:,} h {whole % 3600 // 60} min"


def counted(amount: int, what: str) -> str:
    """Return a number and what it counts.

    Example:
        >>> counted(1, "trial"), counted(2000, "trial")
        ('1 trial', '2,000 trials')
    """
    return f"{amount:,} {what}" if amount == 1 else f"{amount:,} {what}s"


def spread_out(items: Sequence[int], most: int) -> list[int]:
    """Return at most so many items, evenly spread, the first one among them.

    Example:
        >>> spread_out(range(10), 4)
        [0, 3, 6, 9]
    """
    step = -(-len(items) // most) if most else len(items) + 1
    return list(items[::step]) if most else []


def rows_of(table: pd.DataFrame) -> Iterable[Any]:
    """Return the rows of a table with its columns as attributes, of whatever types they are."""
    return table.itertuples(index=False)

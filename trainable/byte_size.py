"""Sizes on disk as people write them: ``20GiB``, ``500MB``."""

import math
import re

from trainable.nearby import closest

BINARY = {unit: 2 ** (10 * n) for n, unit in enumerate(("KiB", "MiB", "GiB", "TiB", "PiB"), 1)}
DECIMAL = {unit: 10 ** (3 * n) for n, unit in enumerate(("KB", "MB", "GB", "TB", "PB"), 1)}
UNITS = BINARY | DECIMAL
KNOWN_BY = "a size such as 20GiB, 500MB or 1.5TiB"
_SIZE = re.compile(r"(?P<number>\d+\.?\d*|\.\d+)(?P<unit>[a-z]*)", re.IGNORECASE | re.ASCII)


def normal_size(text: str) -> str:
    """Return a size as it is best written, the number as it was given.

    Raises:
        ValueError: If it is none; the text is what helps.

    Example:
        >>> normal_size("20 gib"), normal_size("1.5TB")
        ('20GiB', '1.5TB')
    """
    match = _SIZE.fullmatch("".join(text.split()))
    if match is None or not float(match["number"]) > 0:
        raise ValueError(_known_units())
    number, unit = match.groups()
    known = {name.lower(): name for name in UNITS}
    if unit.lower() not in known:
        raise ValueError(" ".join(filter(None, (_question(number, unit), _known_units()))))
    return number + known[unit.lower()]


def num_bytes(text: str) -> int:
    """Return the bytes of a size, rounded down.

    Raises:
        ValueError: If it is none; the text is what helps.

    Example:
        >>> num_bytes("20GiB"), num_bytes("500MB")
        (21474836480, 500000000)
    """
    normal = normal_size(text)
    unit = next(unit for unit in UNITS if normal.endswith(unit))
    return int(float(normal.removesuffix(unit)) * UNITS[unit])


def size_text(size: int) -> str:
    """Return a number of bytes as a size that is no smaller, of about three digits.

    Example:
        >>> size_text(0), size_text(1), size_text(2**30), size_text(2**30 + 1)
        ('0KiB', '0.01KiB', '1GiB', '1.01GiB')
    """
    unit = next((unit for unit in reversed(BINARY) if size >= BINARY[unit]), "KiB")
    places = max(0, 2 - int(math.log10(max(1, size / BINARY[unit]))))
    return f"{math.ceil(size / BINARY[unit] * 10**places) / 10**places:g}{unit}"


def _question(number: str, unit: str) -> str:
    """Return which size may have been meant."""
    letter = unit[:1].upper()
    if not unit:
        return f"Did you mean {number}GiB or {number}GB?"
    if f"{letter}iB" in UNITS and len(unit) == 1:
        return f"Did you mean {number}{letter}iB or {number}{letter}B?"
    found = closest(unit, UNITS)
    return f"Did you mean {number}{found}?" if found else ""


def _known_units() -> str:
    binary, decimal = (", ".join(units) for units in (BINARY, DECIMAL))
    return f"Units: {binary} (steps of 1024), {decimal} (steps of 1000)."

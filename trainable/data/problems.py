"""How many problems with a data set are told at once."""

from collections.abc import Sequence

from trainable.errors import ConfigError

MOST_NAMED = 5


def first_few(things: Sequence[str]) -> list[str]:
    """Return at most five of some texts, and a last one that counts the others.

    Example:
        >>> first_few(["a", "b", "c", "d", "e", "f", "g"])[4:]
        ['e', '... and 2 more.']
    """
    more = len(things) - MOST_NAMED
    return [*things[:MOST_NAMED], *([f"... and {more} more."] if more > 0 else [])]


def raise_problems(problems: Sequence[str]) -> None:
    """Raise the first few problems, if there are any.

    Raises:
        ConfigError: If there are problems.
    """
    if problems:
        raise ConfigError(first_few(problems))

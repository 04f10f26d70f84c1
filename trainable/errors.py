"""The three errors, which say what the search does next, and how they are worded."""

from collections.abc import Iterable, Sequence

from trainable.nearby import nearest

MAX_LINE = 200
MOST_LISTED = 20


class ConfigError(Exception):
    """Nothing has run: mend what the message names and start again.

    Args:
        problems: One message or several; all are reported together, a line each.
    """

    def __init__(self, problems: str | Sequence[str]) -> None:
        self.problems: tuple[str, ...] = (
            (problems,) if isinstance(problems, str) else tuple(problems)
        )
        super().__init__("\n".join(self.problems))

    def __reduce__(self) -> tuple[type["ConfigError"], tuple[tuple[str, ...]]]:
        """Pickle by the problems, since Ray sends errors between processes."""
        return type(self), (self.problems,)


class TrialError(Exception):
    """This trial failed for a reason that trying again would not change; the search goes on."""


class SearchError(Exception):
    """The search cannot go on."""


def expected(path: str, what: str, got: object, remedy: str = "") -> str:
    """Word a problem: where it is, what was expected there, what was found, what helps.

    Example:
        >>> expected("optimizer/lr", "a positive value", -1.0)
        'optimizer/lr: expected a positive value, got -1.0.'
    """
    tail = f" {remedy}" if remedy else ""
    return f"{path}: expected {what}, got {got}.{tail}"


def requirement(message: str) -> str:
    """Return what a message of pydantic asks for, as ``expected`` words it.

    Example:
        >>> requirement("Input should be a valid integer, unable to parse string as an integer")
        'a valid integer'
    """
    text = message.removeprefix("Input should be ").removeprefix("Value error, ")
    text = text.partition(", unable to")[0]
    return text[0].lower() + text[1:]


def first_line(error: Exception) -> str:
    r"""Return the first line of what a library says of an error, not too long.

    Example:
        >>> first_line(ValueError("\nNo operator.\nSee also the manual."))
        'No operator.'
    """
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0] if len(lines[0]) <= MAX_LINE else f"{lines[0][:MAX_LINE]}…"


def unknown(path: str, what: str, got: str, known: Iterable[str]) -> str:
    """Word a problem with a name, with the nearest known name and all known ones.

    Where there is a nearest one, many known ones are not listed.

    Example:
        >>> unknown("loss/name", "a known loss", "focl", ["focal", "f1"])
        "loss/name: expected a known loss, got 'focl'. Did you mean 'focal'? Known: f1, focal."
    """
    names = sorted(known)
    return expected(path, what, repr(got), question_or_list(nearest(got, names), names))


def question_or_list(question: str, names: Sequence[str]) -> str:
    """Return a question after the nearest name and the list of known names, if it is short.

    Args:
        question: What ``nearest`` returned.
        names: All known names; always listed where there is no question.
    """
    if question and len(names) > MOST_LISTED:
        return question
    return " ".join(filter(None, (question, f"Known: {', '.join(names)}.")))

"""What all commands share: one line a problem instead of a traceback, and exit codes."""

import argparse
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import NoReturn

from trainable.errors import ConfigError, SearchError, expected, unknown

DONE, FAILED, WRONG_INPUT, INTERRUPTED = 0, 1, 2, 130

_NUMBERS = {"int": "a whole number", "float": "a number"}
_INVALID_VALUE = re.compile(r"invalid (?P<type>\w+) value: (?P<got>.*)")
_INVALID_CHOICE = re.compile(r"invalid choice: '?(?P<got>.*?)'? \(choose from (?P<known>.*)\)")
_OF_ARGUMENT = re.compile(r"argument (?P<name>[^:]+): (?P<problem>.*)", re.DOTALL)
_REQUIRED = "the following arguments are required: "
_TOO_MANY = "unrecognized arguments: "


def run_command(
    function: Callable[[Sequence[str] | None], int], argv: Sequence[str] | None = None
) -> int:
    """Run a command; word its errors as lines on stderr.

    Args:
        function: Takes the arguments and returns the exit code.
        argv: Arguments without the program's name; those of the process when None.

    Returns:
        The function's exit code; 2 after a ``ConfigError``, 1 after a ``SearchError``, 130 after
        Ctrl-C. ``--help`` leaves through ``SystemExit`` as in argparse.
    """
    try:
        return function(argv)
    except ConfigError as error:
        _complain(error.problems)
        return WRONG_INPUT
    except SearchError as error:
        _complain([str(error)])
        return FAILED
    except KeyboardInterrupt:
        _complain(["interrupted"])
        return INTERRUPTED


def _complain(problems: Sequence[str]) -> None:
    for problem in problems:
        sys.stderr.write(f"{problem}\n")


class ArgumentParser(argparse.ArgumentParser):
    """An argument parser that raises ``ConfigError`` and never guesses an option's rest.

    Example:
        >>> parser = ArgumentParser(prog="bake")
        >>> _ = parser.add_argument("--loaves", type=int)
        >>> parser.parse_args(["--loves", "2"])
        Traceback (most recent call last):
        trainable.errors.ConfigError: --loves: expected a known option, got '--loves'. Did you \
mean '--loaves'? Known: --help, --loaves.
    """

    def __init__(self, prog: str, description: str | None = None) -> None:
        super().__init__(prog=prog, description=description, allow_abbrev=False)

    def parse_known_args(  # type: ignore[override]  # the base class overloads it by namespace
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Refuse unknown options before anything else is found missing on their account."""
        given = list(sys.argv[1:] if args is None else args)
        problems = list(self._unknown_options(given))
        if problems:
            raise ConfigError(problems)
        return super().parse_known_args(given, namespace)

    def _unknown_options(self, given: Sequence[str]) -> Iterator[str]:
        options = given[: given.index("--")] if "--" in given else given
        known = [name for name in self._option_string_actions if name.startswith("--")]
        for option in (text.partition("=")[0] for text in options if text.startswith("--")):
            if option not in known:
                yield unknown(option, "a known option", option, known)

    def error(self, message: str) -> NoReturn:
        """Raise argparse's message in this project's words.

        Raises:
            ConfigError: Always.
        """
        raise ConfigError(list(_reworded(message)))


def _reworded(message: str) -> Iterator[str]:
    if message.startswith(_REQUIRED):
        for name in message.removeprefix(_REQUIRED).split(", "):
            yield expected(name, "a value", "nothing")
    elif message.startswith(_TOO_MANY):
        for word in message.removeprefix(_TOO_MANY).split():
            yield expected("arguments", "nothing more", repr(word), "See --help.")
    elif of_argument := _OF_ARGUMENT.fullmatch(message):
        yield _reworded_argument(of_argument["name"], of_argument["problem"])
    else:
        yield f"{message}."


def _reworded_argument(name: str, problem: str) -> str:
    if value := _INVALID_VALUE.fullmatch(problem):
        return expected(name, _NUMBERS.get(value["type"], value["type"]), value["got"])
    if choice := _INVALID_CHOICE.fullmatch(problem):
        known = [text.strip(" '\"") for text in choice["known"].split(",")]
        return unknown(name, "a known value", choice["got"], known)
    if re.fullmatch(r"expected (one|at least one) argument", problem):
        return expected(name, "a value", "nothing")
    return f"{name}: {problem.removesuffix('.')}."


def positive_whole_number(text: str) -> int:
    """Read an option's value that counts something, as the ``type`` of an argument.

    Raises:
        argparse.ArgumentTypeError: If it is not a whole number of at least 1.
    """
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, got {text!r}")
    return int(text)

"""What all commands share: one line a problem instead of a traceback, and exit codes."""

import argparse
import os
import re
import sys
import textwrap
from collections.abc import Callable, Container, Iterator, Sequence
from typing import Any, NoReturn

from trainable.errors import ConfigError, SearchError, expected, unknown

DONE, FAILED, WRONG_INPUT, INTERRUPTED = 0, 1, 2, 130

# Set by the shell functions of argcomplete while they ask a command what may come next.
COMPLETING = "_ARGCOMPLETE"
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


class _HelpAll(argparse.Action):
    """Prints the help with all options, and exits."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str | None = None) -> None:  # noqa: A002  # argparse's name
        super().__init__(option_strings, dest, nargs=0, default=argparse.SUPPRESS, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:  # noqa: ANN401
        """Print, and leave as ``--help`` does."""
        assert isinstance(parser, ArgumentParser)
        sys.stdout.write(parser.format_full_help())
        parser.exit()


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

    def __init__(
        self,
        prog: str,
        description: str | None = None,
        *,
        examples: str = "",
        rare: Container[str] = (),
    ) -> None:
        """Make a parser.

        Args:
            prog: What a user types before the arguments.
            description: What the command does.
            examples: Commands, a line each, shown below the help.
            rare: Options that ``--help`` leaves out and ``--help-all`` shows.
        """
        super().__init__(prog=prog, description=description, allow_abbrev=False)
        self._rare = rare
        self._completes = False
        if examples:
            self.formatter_class = argparse.RawDescriptionHelpFormatter
            self.epilog = f"examples:\n{textwrap.indent(examples.strip(), '  ')}\n"
        if rare:
            self.add_argument("--help-all", action=_HelpAll, help="show every option and exit")

    def format_help(self) -> str:
        """Return the help without the rare options, and without groups that have no others."""
        rare = [a for a in self._actions if any(name in self._rare for name in a.option_strings)]
        said = [action.help for action in rare]
        for action in rare:
            action.help = argparse.SUPPRESS
        try:
            return super().format_help()
        finally:
            for action, text in zip(rare, said, strict=True):
                action.help = text

    def format_full_help(self) -> str:
        """Return the help with all options."""
        return super().format_help()

    def parse_args(  # type: ignore[override]  # as parse_known_args
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> argparse.Namespace:
        """Read the arguments; while a shell completes a line, answer it and leave instead."""
        if COMPLETING in os.environ:
            import argcomplete  # only while a shell completes

            self._completes = True
            argcomplete.autocomplete(self)
            self._completes = False
        return super().parse_args(args, namespace)

    def parse_known_args(  # type: ignore[override]  # the base class overloads it by namespace
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Refuse unknown options before anything else is found missing on their account."""
        given = list(sys.argv[1:] if args is None else args)
        problems = [] if self._completes else list(self._unknown_options(given))
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
    end = "" if problem.endswith("?") else "."
    return f"{name}: {problem.removesuffix('.')}{end}"


def positive_whole_number(text: str) -> int:
    """Read an option's value that counts something, as the ``type`` of an argument.

    Raises:
        argparse.ArgumentTypeError: If it is not a whole number of at least 1.
    """
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, got {text!r}")
    return int(text)

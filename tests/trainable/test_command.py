import argparse

import pytest

from trainable.command import ArgumentParser, positive_whole_number, run_command
from trainable.errors import ConfigError, SearchError


@pytest.fixture
def parser() -> ArgumentParser:
    parser = ArgumentParser(prog="bake", description="Bake bread.")
    parser.add_argument("flour")
    parser.add_argument("--loaves", type=int, default=1)
    parser.add_argument("--heat", type=float)
    parser.add_argument("--crumbs", type=positive_whole_number)
    parser.add_argument("--out", required=True)
    parser.add_argument("--form", choices=["round", "long"])
    return parser


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--loves", "2"], r"^--loves: expected a known option, .* Did you mean '--loaves'\?"),
        (["rye", "--loa=2", "--out", "x"], "--loa: expected a known option, got '--loa'"),
        (["rye", "--loaves", "two", "--out", "x"], "--loaves: expected a whole number, got 'two'"),
        (["rye", "--heat", "hot", "--out", "x"], "--heat: expected a number, got 'hot'"),
        (["rye", "--crumbs", "0", "--out", "x"], "--crumbs: .* at least 1, got '0'\\.$"),
        (["rye", "--out", "x", "--form", "lang"], "--form: .*got 'lang'. Did you mean 'long'"),
        (["rye", "--out"], "--out: expected a value, got nothing"),
        (["rye", "oats", "--out", "x"], r"^arguments: expected nothing more, got 'oats'\."),
    ],
)
def test_a_wrong_argument_is_named_with_what_was_expected(parser, argv, message):
    with pytest.raises(ConfigError, match=message):
        parser.parse_args(argv)


def test_all_missing_arguments_are_reported_together(parser):
    with pytest.raises(ConfigError) as error:
        parser.parse_args([])
    assert [problem.split(":")[0] for problem in error.value.problems] == ["flour", "--out"]


def test_right_arguments_are_parsed(parser):
    expected = argparse.Namespace(
        flour="rye", loaves=3, heat=None, crumbs=7, out="x", form="round"
    )
    argv = ["rye", "--loaves=3", "--crumbs", "7", "--out", "x", "--form", "round"]
    assert parser.parse_args(argv) == expected


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (ConfigError(["flour: none", "water: none"]), 2, "flour: none\nwater: none\n"),
        (SearchError("the oven is cold"), 1, "the oven is cold\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
    ],
)
def test_an_error_becomes_lines_and_an_exit_code(capsys, error, code, message):
    def bake(argv):
        raise error

    assert run_command(bake, []) == code
    assert capsys.readouterr().err == message


def test_the_exit_code_of_the_function_is_handed_on():
    assert run_command(lambda argv: len(argv or ()), ["a", "b", "c"]) == 3

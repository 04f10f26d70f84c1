import subprocess
import sys
from pathlib import Path

import pytest

from search.arguments import parse_arguments
from trainable.errors import ConfigError


def given(*arguments: str) -> dict:
    return parse_arguments(["--space", "s.py", *arguments]).values


def test_only_what_was_given_is_in_the_result():
    assert given("--trials", "3") == {"space": Path("s.py"), "trials": 3}


@pytest.mark.parametrize(
    ("text", "seconds"), [("2h", 7200), ("90m", 5400), ("45s", 45), ("1h30m", 5400)]
)
def test_a_time_budget_is_written_in_hours_minutes_and_seconds(text, seconds):
    assert given("--time-budget", text) == {"space": Path("s.py"), "time_budget_s": seconds}


def test_trackers_are_separated_by_commas_and_named_once():
    assert given("--log-to", "mlflow, wandb,mlflow")["log_to"] == ("mlflow", "wandb")


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("optimizer/lr=1e-4", "optimizer/lr", 1e-4),
        ("loss/name=focal", "loss/name", "focal"),
        ("resize=64x48", "resize", "64x48"),
        ("patience=null", "patience", None),
        ("backbone/pretrained=a=b", "backbone/pretrained", "a=b"),
        ("optimizer/lr=NaN", "optimizer/lr", "NaN"),
    ],
)
def test_a_pin_is_json_or_else_text(text, name, value):
    assert given("--set", text)["pins"] == {name: value}


def test_several_hyperparameters_can_be_pinned():
    assert given("--set", "a=1", "--set", "b=2")["pins"] == {"a": 1, "b": 2}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--trails", "3"], "--trails: expected a known option.*Did you mean '--trials'"),
        (["--trials", "0"], "--trials: expected a whole number of at least 1, got '0'"),
        (["--max-concurrent", "0"], "expected a whole number of at least 1, or a share"),
        (["--max-concurrent", "120%"], "expected a share above 0% and up to 100%, got '120%'"),
        (["--seed", "-1"], "--seed: expected a whole number from 0 to 4294967295, got '-1'"),
        (["--seed", "5000000000"], "--seed: expected .* to 4294967295, got '5000000000'"),
        (
            ["--address", "there"],
            "--address: expected local, auto, host:port or.*got 'there'",
        ),
        (
            ["--address", "ray://a"],
            "--address: expected local, auto, host:port or ray://host:port",
        ),
        (
            ["--folder", "/shared"],
            "--folder: expected --address ray://HOST:PORT with it",
        ),
        (
            ["--log-to", "mlfow"],
            "--log-to: expected one or several of tensorboard, mlflow, wandb,",
        ),
        (["--log-to", "mlflow,wand"], "got 'mlflow,wand'. Did you mean 'wandb'"),
        (["oats"], "^arguments: expected nothing more, got 'oats'"),
        (["--time-budget", "5"], "--time-budget: expected a duration such as 2h.*got '5'"),
        (["--time-budget", "1h2"], "--time-budget: expected a duration"),
        (["--time-budget", "0s"], "--time-budget: expected a duration"),
        (["--time-budget", "1.2.3h"], "--time-budget: expected a duration"),
        (["--gpus-per-trial", "car"], "--gpus-per-trial: expected auto, 0, a share.*got 'car'"),
        (["--gpus-per-trial", "1.5"], "--gpus-per-trial: expected auto, 0, a share of one GPU"),
        (["--cpus-per-trial", "0"], "--cpus-per-trial: expected a number above 0, got '0'"),
        (["--cpus-per-trial", "nan"], "--cpus-per-trial: expected a number above 0, got 'nan'"),
        (["--reduction-factor", "1"], "--reduction-factor: expected a whole number of at least 2"),
        (["--set", "lr"], "--set: expected NAME=VALUE such as optimizer/lr=1e-4, got 'lr'"),
        (["--set", "a=1", "--set", "a=2"], "--set a: expected to be given once, got 2 values"),
        (["--sampler", "grid"], "--sampler: .*'grid'"),
        (["--max-failed-share", "2"], "--max-failed-share: expected a share above 0 and at most"),
        (
            ["--cache-limit", "20"],
            "--cache-limit: expected a size .* got '20'. Did you mean 20GiB",
        ),
        (["--cache-limit", "20GiBs"], "got '20GiBs'. Did you mean 20GiB. Units: KiB, MiB, GiB"),
        (["--cache-limt", "20GiB"], "Did you mean '--cache-limit'"),
        (["--name", "a/b"], "--name: expected a name of letters, digits.*got 'a/b'"),
        (
            ["--runs-dir", "s4://bucket/runs"],
            "--runs-dir: s4://bucket/runs: expected a folder, or the URL of a bucket",
        ),
    ],
)
def test_a_wrong_option_is_named_with_what_was_expected(arguments, message):
    with pytest.raises(ConfigError, match=message):
        given(*arguments)


def test_without_a_space_the_remedy_names_one():
    with pytest.raises(ConfigError, match=r"--space: expected a space file.*spaces/quick\.py"):
        parse_arguments([])


def test_a_search_that_goes_on_takes_what_may_change():
    options = parse_arguments(["--resume", "runs/a", "--trials", "9", "--time-budget", "1h"])
    assert options.resume == Path("runs/a")
    assert options.values == {"trials": 9, "time_budget_s": 3600}


def test_a_search_that_goes_on_refuses_everything_else_by_name():
    with pytest.raises(ConfigError, match=r"got --seed, --set\. The rest stays as recorded"):
        parse_arguments(["--resume", "runs/a", "--seed", "1", "--set", "a=1", "--trials", "3"])


def test_help_is_answered_without_importing_anything_slow():
    code = (
        "import sys; from search.run import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: print({'torch', 'ray', 'optuna', 'pandas'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("set()\n")
    assert "--resume RUN" in done.stdout
    assert "python -m search.run --space spaces/quick.py --dry-run" in done.stdout

from pathlib import Path

import pytest

from search.arguments import parse_arguments
from search.options import RECOMMENDABLE, SearchOptions, resolve_options
from search.schedulers.asha import Asha
from search.schedulers.hyperband import Hyperband
from search.schedulers.make import scheduler_of
from search.schedulers.median import Median
from search.schedulers.no_stopping import NoStopping
from trainable.cache_place import default_cache_dir
from trainable.errors import ConfigError


def resolved(*arguments: str, **recommended: int) -> SearchOptions:
    given = parse_arguments(["--space", "s.py", *arguments]).values
    return resolve_options(given, recommended, name="run")


def test_the_command_line_wins_over_the_space_and_the_space_over_the_defaults():
    options = resolved("--trials", "7", trials=16, max_epochs=9)
    assert (options.trials, options.max_epochs, options.reduction_factor) == (7, 9, 3)


def test_every_recommendable_option_is_an_option():
    assert set(RECOMMENDABLE) <= set(SearchOptions.model_fields)


def test_a_default_grace_period_fits_into_short_trials():
    assert resolved("--max-epochs", "1", grace_period=2).grace_period == 1


def test_a_given_grace_period_longer_than_the_trials_is_refused():
    with pytest.raises(
        ConfigError, match="--grace-period: expected at most --max-epochs 2, got 5"
    ):
        resolved("--max-epochs", "2", "--grace-period", "5")


def test_a_seed_that_leaves_no_room_for_the_trials_is_refused():
    assert resolved("--seed", "4294967293", "--trials", "3").seed == 4294967293
    with pytest.raises(ConfigError, match="--seed: expected at most 4294967292 with 4 trials"):
        resolved("--seed", "4294967293", "--trials", "4")


def test_options_survive_json():
    options = resolved("--set", "optimizer/lr=0.1", "--time-budget", "2h")
    assert SearchOptions.model_validate(options.model_dump(mode="json")) == options


def test_the_centre_of_images_survives_json():
    options = resolved("--center-crop", "320x256")
    assert options.center_crop == (320, 256)
    assert SearchOptions.model_validate(options.model_dump(mode="json")) == options


@pytest.mark.parametrize("text", ["320", "0x256", "320x", "axb", "320*256"])
def test_a_centre_that_is_no_height_and_width_is_refused(text):
    with pytest.raises(ConfigError, match=r"--center-crop: expected height x width in pixels, su"):
        resolved("--center-crop", text)


def test_the_cache_is_where_the_user_keeps_caches(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert default_cache_dir() == Path("/somewhere/classifier-search")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert default_cache_dir() == Path.home() / ".cache" / "classifier-search"


@pytest.mark.parametrize(
    ("name", "kind"),
    [("asha", Asha), ("hyperband", Hyperband), ("median", Median), ("none", NoStopping)],
)
def test_the_scheduler_is_the_one_that_was_asked_for(name, kind):
    scheduler = scheduler_of(resolved("--scheduler", name))
    assert type(scheduler) is kind
    assert scheduler.name == name


def test_only_tpe_can_take_into_account_how_long_trials_take():
    assert resolved("--cost-aware").cost_aware
    assert not resolved().cost_aware
    problem = r"^--cost-aware: expected --sampler tpe, got --sampler gp\.$"
    with pytest.raises(ConfigError, match=problem):
        resolved("--cost-aware", "--sampler", "gp")

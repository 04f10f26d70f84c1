import optuna
import pytest

from search.space_check import SpaceCheck, check_space
from search.space_file import load_space
from spaces.listed import suggest_listed
from trainable.errors import ConfigError

BACKBONE = {"backbone": {"name": "test_efficientnet"}}
LISTED = [
    BACKBONE | {"resize": "64x48", "loss": {"name": "focal", "gamma": 2.0}, "ema": None},
    BACKBONE | {"resize": "64x48", "loss": {"name": "focal", "gamma": 1.0}, "ema": None},
    BACKBONE | {"resize": "32x32", "loss": {"name": "f1"}, "ema": 0.9},
]
SPACE = """
from spaces.listed import suggest_listed

STARTS = {listed}

def space(trial):
    suggest_listed(trial, STARTS)
"""


def suggestions():
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(0))
    for _ in range(40):
        trial = study.ask()
        suggest_listed(trial, LISTED)
        yield trial.params


@pytest.fixture
def check(tmp_path):
    def check_listed(listed, pins=None) -> SpaceCheck:
        path = tmp_path / "mine.py"
        path.write_text(SPACE.replace("{listed}", repr(listed)))
        return check_space(load_space(path), pins=pins or {}, max_epochs=3, seed=0)

    return check_listed


def test_combinations_of_what_is_listed_are_suggested():
    found = list(suggestions())
    assert {params["resize"] for params in found} == {"64x48", "32x32"}
    assert {params.get("loss/gamma") for params in found} == {None, 1.0, 2.0}
    assert {(p["resize"], p["ema"]) for p in found} >= {("64x48", 0.9), ("32x32", None)}


def test_fields_belong_to_the_part_that_was_chosen():
    for params in suggestions():
        assert ("loss/gamma" in params) == (params["loss/name"] == "focal")


def test_what_is_listed_can_be_tried_first(check):
    starts = check(LISTED).starts
    assert [start.get("loss/gamma") for start in starts] == [2.0, 1.0, None]


def test_a_part_that_is_not_listed_can_be_pinned(check):
    result = check(LISTED, {"loss/name": "cross_entropy"})
    assert {config.loss.name for config in result.configs.values()} == {"cross_entropy"}
    assert [start["resize"] for start in result.starts] == ["64x48", "32x32"]


def test_rows_of_one_part_with_different_fields_are_refused(check):
    melting = {"name": "melt", "share": 0.5}
    rows = [BACKBONE | {"freeze": melting}, BACKBONE | {"freeze": melting | {"warmup": 0.1}}]
    with pytest.raises(ConfigError, match=r"STARTS\[1\]: freeze/warmup: expected a name that the"):
        check(rows)


def test_a_row_without_a_family_that_the_first_has_is_refused(check):
    with pytest.raises(ConfigError, match=r"space\(trial\) to suggest .*KeyError: 'ema'"):
        check([BACKBONE | {"ema": None}, BACKBONE])


def test_a_row_with_a_family_that_the_first_does_not_have_is_refused(check):
    with pytest.raises(
        ConfigError, match=r"STARTS\[1\]: ema: expected a name that the space asks"
    ):
        check([BACKBONE, BACKBONE | {"ema": None}])

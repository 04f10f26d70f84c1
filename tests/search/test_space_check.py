import pytest

from search.fit_check import check_fit
from search.space_check import check_space
from search.space_file import Space, load_space
from trainable.errors import ConfigError


@pytest.fixture
def check(tmp_path):
    """Check a space whose backbone is given."""

    def check_suggestions(suggest, pins=None):
        def whole(trial):
            trial.suggest_categorical("backbone/name", ["test_efficientnet"])
            suggest(trial)

        space = Space(tmp_path / "mine.py", "", whole)
        return check_space(space, pins=pins or {}, max_epochs=9, seed=0)

    return check_suggestions


def losses(trial):
    trial.suggest_categorical("resize", ["64x48", "128x96"])
    if trial.suggest_categorical("loss/name", ["focal", "f1"]) == "focal":
        trial.suggest_float("loss/gamma", 0.5, 5.0)


def test_dimensions_say_what_is_conditional(check):
    result = check(losses)
    assert list(result.dimensions) == ["backbone/name", "resize", "loss/name", "loss/gamma"]
    assert [n for n in result.dimensions if result.is_conditional(n)] == ["loss/gamma"]
    assert str(result.dimensions["loss/gamma"]) == "0.5 to 5"


def test_sizes_are_collected(check):
    assert check(losses).sizes == ((64, 48), (128, 96))


def test_equal_configurations_count_once(check):
    assert len(check(lambda trial: trial.suggest_categorical("loss/name", ["f1"])).configs) == 1


def test_each_problem_is_reported_once_with_how_often_it_came(check):
    def space(trial):
        if trial.suggest_categorical("loss/name", ["focal", "f1"]) == "focal":
            trial.suggest_float("loss/gamma", -5.0, -1.0)

    with pytest.raises(ConfigError, match=r"loss/gamma: .* got -.* In \d+ of 200 sugg") as error:
        check(space)
    assert len(error.value.problems) == 1


def test_all_problems_are_reported_together(check):
    def space(trial):
        trial.suggest_categorical("loss/name", ["focl"])
        trial.suggest_int("batch_size", 0, 0)

    with pytest.raises(ConfigError) as error:
        check(space)
    assert {line.split(":")[0] for line in error.value.problems} == {"loss/name", "batch_size"}


def test_a_hyperparameter_that_does_not_exist_is_named_with_the_nearest(check):
    with pytest.raises(ConfigError, match=r"optimiser.*Did you mean 'optimizer'"):
        check(lambda trial: trial.suggest_float("optimiser/lr", 0.1, 0.2))


def test_what_one_suggestion_in_a_hundred_has_is_found(check):
    def space(trial):
        if trial.suggest_float("gradient_clip", 0.5, 1.5) < 0.51:
            trial.suggest_categorical("loss/name", ["focal"])

    assert "loss/gamma" in check(space, {"loss/gamma": 1.0}).used


@pytest.mark.parametrize(
    ("pins", "message"),
    [
        ({"loss/gama": 1}, "--set loss/gama: expected a hyperparameter, .*mean 'loss/gamma'"),
        ({"precison": "fp32"}, "--set precison: expected a hyperparameter.*mean 'precision'"),
        ({"loss/smoothing": 0.1}, "--set loss/smoothing: expected .* with an effect"),
        ({"loss/name": "f1", "loss/gamma": 1}, "--set loss/gamma: .* with an effect"),
        ({"loss/gamma": -1}, "loss/gamma: expected .*, got -1"),
        ({"loss/name": "focl"}, "loss/name: .*Did you mean 'focal'"),
    ],
)
def test_a_pin_that_does_not_fit_the_space_is_refused(check, pins, message):
    with pytest.raises(ConfigError, match=message):
        check(losses, pins)


def test_a_head_that_the_data_does_not_fit_is_found(check, data):
    def space(trial):
        trial.suggest_categorical("head/name", ["linear", "multi"])

    with pytest.raises(ConfigError, match="head/name: expected attributes"):
        check_fit(check(space).configs.values(), data)


def test_problems_of_values_and_of_building_come_together(check):
    def space(trial):
        trial.suggest_categorical("precision", ["fp33", "fp32"])
        trial.suggest_categorical("augmentation/name", ["custom"])
        trial.suggest_categorical("augmentation/file", ["nowhere.yaml"])

    with pytest.raises(ConfigError) as error:
        check(space)
    paths = {problem.split(":")[0] for problem in error.value.problems}
    assert paths == {"precision", "augmentation/file"}


# timm does not say which of its layers comes before which.
UNLAYERED = {"backbone/name": "poolformer_s12"}


@pytest.mark.parametrize(
    ("pins", "problem"),
    [
        ({"backbone/name": "test_vit"}, "resize: expected a size that test_vit can take"),
        (
            UNLAYERED | {"optimizer/layer_decay": 0.8},
            "optimizer/layer_decay: expected 1 with this backbone, got 0.8",
        ),
        (
            UNLAYERED | {"freeze/name": "front"},
            "freeze/name: expected none, all or melt with this backbone, got front",
        ),
    ],
)
def test_what_a_backbone_cannot_have_is_refused(check, pins, problem):
    with pytest.raises(ConfigError, match=problem):
        check(lambda trial: trial.suggest_categorical("resize", ["33x47"]), pins)


def test_label_shift_needs_data_with_ages(check, data):
    configs = check(lambda trial: trial.suggest_int("label_shift", 58, 58)).configs.values()
    with pytest.raises(ConfigError, match="label_shift: expected data with a column 'years'"):
        check_fit(configs, data)


STARTING = """
STARTS = [{starts}]

def space(trial):
    trial.suggest_categorical("backbone/name", ["test_efficientnet"])
    trial.suggest_categorical("optimizer/name", ["sgd", "adamw"])
    trial.suggest_float("optimizer/lr", 1e-3, 1e-1, log=True)
"""
START = {"backbone/name": "test_efficientnet", "optimizer/name": "sgd"}


@pytest.mark.parametrize(
    ("start", "problem"),
    [
        (START, r"STARTS\[0\]: optimizer/lr: expected 0\.001 to 0\.1, log, got nothing"),
        (
            START | {"optimizer/lr": 0.05, "optimizer/name": "sdg"},
            r"STARTS\[0\]: optimizer/name: expected sgd, adamw, got 'sdg'",
        ),
        (
            START | {"optimizer/lr": 5.0},
            r"STARTS\[0\]: optimizer/lr: expected 0\.001 to 0\.1, log, got 5\.0",
        ),
        (
            START | {"optimizer/lr": 0.05, "optimizer/lrr": 1},
            r"STARTS\[0\]: optimizer/lrr: expected a name that .*Did you mean 'optimizer/lr'",
        ),
        (
            START | {"optimizer/lr": 0.05, "optimizer/momentum": 0.9},
            r"STARTS\[0\]: optimizer/momentum: expected a name that the space asks for",
        ),
        (
            START | {"optimizr/lr": 0.05},
            r"STARTS\[0\]: optimizr/lr: expected a name .*Did you mean 'optimizer/lr'",
        ),
        (7, r"STARTS: expected a list of dicts, got \[7\]"),
    ],
)
def test_a_start_that_the_space_could_not_suggest_is_refused(tmp_path, start, problem):
    path = tmp_path / "s.py"
    path.write_text(STARTING.replace("{starts}", repr(start)))
    with pytest.raises(ConfigError, match=problem):
        check_space(load_space(path), pins={}, max_epochs=3, seed=0)


def test_a_start_within_the_space_is_accepted(tmp_path):
    path = tmp_path / "s.py"
    path.write_text(STARTING.replace("{starts}", repr(START | {"optimizer/lr": 0.05})))
    assert check_space(load_space(path), pins={}, max_epochs=3, seed=0).num_samples > 0


def test_epochs_that_are_no_integer_are_limited_too(check):
    configs = check(lambda trial: trial.suggest_float("epochs", 100, 101, step=1)).configs
    assert {config.epochs for config in configs.values()} == {9}


STARTED = """
STARTS = [
    {"backbone": {"name": "test_efficientnet"}, "loss": {"name": "focal", "gamma": 2.0},
     "resize": "64x48"},
    {"backbone": {"name": "test_resnet"}, "loss": {"name": "focal", "gamma": 2.0},
     "resize": "64x48"},
    {"backbone": {"name": "test_resnet"}, "loss": {"name": "f1"}, "resize": "128x96"},
]

def space(trial):
    trial.suggest_categorical("backbone/name", ["test_efficientnet", "test_resnet"])
    if trial.suggest_categorical("loss/name", ["f1", "focal", "label_smoothing"]) == "focal":
        trial.suggest_float("loss/gamma", 0.5, 3.0)
    trial.suggest_categorical("resize", ["64x48", "128x96"])
"""


@pytest.fixture
def starts(tmp_path):
    """Return the starts that are left under pins, as they are enqueued."""
    path = tmp_path / "s.py"
    path.write_text(STARTED)

    def starts_with(pins):
        check = check_space(load_space(path), pins=pins, max_epochs=3, seed=0)
        return check.starts

    return starts_with


def test_a_pin_takes_the_place_of_a_starts_value(starts):
    assert starts({"resize": "32x32"})[2] == {
        "backbone/name": "test_resnet",
        "loss/name": "f1",
    }


def test_starts_that_pins_make_equal_are_tried_once(starts):
    assert starts({}) == starts({"ema": 0.9})
    assert len(starts({})) == 3
    assert starts({"backbone/name": "test_resnet"}) == [
        {"loss/name": "focal", "loss/gamma": 2.0, "resize": "64x48"},
        {"loss/name": "f1", "resize": "128x96"},
    ]


def test_values_of_a_start_that_pins_leave_without_effect_are_dropped(starts):
    assert starts({"loss/name": "label_smoothing", "resize": [64, 48]}) == [
        {"backbone/name": "test_efficientnet"},
        {"backbone/name": "test_resnet"},
    ]


def test_what_a_pin_asks_for_beside_a_starts_values_is_left_to_be_drawn(starts):
    found = starts({"loss/name": "focal", "backbone/name": "test_resnet"})
    assert found == [{"loss/gamma": 2.0, "resize": "64x48"}, {"resize": "128x96"}]


def test_sizes_of_starts_are_known_too(tmp_path):
    path = tmp_path / "s.py"
    path.write_text(
        'STARTS = [{"backbone/name": "test_resnet", "resize": "64x48", "seed": 5}]\n'
        "def space(trial):\n"
        '    trial.suggest_categorical("backbone/name", ["test_resnet"])\n'
        '    rare = trial.suggest_int("seed", 0, 10**6) == 5\n'
        '    trial.suggest_categorical("resize", ["64x48", "32x32"]) if rare else None\n'
    )
    check = check_space(load_space(path), pins={}, max_epochs=3, seed=0)
    assert check.sizes == ((64, 48), (128, 96))


def test_a_start_is_not_blamed_for_what_every_suggestion_has(tmp_path):
    path = tmp_path / "s.py"
    path.write_text(STARTED.replace('["64x48", "128x96"]', "[(64, 48)]"))
    with pytest.raises(ConfigError) as error:
        check_space(load_space(path), pins={}, max_epochs=3, seed=0)
    assert len(error.value.problems) == 1

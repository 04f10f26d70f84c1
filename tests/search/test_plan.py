from datetime import datetime
from pathlib import Path

import pytest

from search.arguments import parse_arguments
from search.options import SearchOptions
from search.plan import check_metric, check_writable, make_plan, new_name
from trainable.data.index import Attribute, LabelSpace
from trainable.errors import ConfigError


@pytest.fixture
def plan(space_file, coloured_folder, cache_dir, tmp_path):
    def plan_of(*arguments, **options):
        options = {
            "data": coloured_folder,
            "space": space_file,
            "runs-dir": tmp_path / "runs",
        } | options
        pairs = [text for name, value in options.items() for text in (f"--{name}", str(value))]
        return make_plan(parse_arguments([*pairs, "--cache-dir", str(cache_dir), *arguments]))

    return plan_of


def test_a_plan_has_everything_that_a_search_needs(plan, tmp_path):
    made = plan("--metric", "val/loss", "--cpus-per-trial", "1", name="mine")
    assert made.run_folder == tmp_path / "runs" / "mine"
    assert (made.options.trials, made.options.max_epochs) == (4, 3)
    assert made.objective.mode == "min"
    assert made.check.sizes == ((32, 32),)
    assert len(made.data.index) == 90
    assert not made.resumes


def test_planning_writes_nothing_to_the_runs_folder(plan, tmp_path):
    plan()
    assert not (tmp_path / "runs").exists()


def test_a_run_without_a_name_is_named_after_the_space_and_the_time(plan):
    name = plan().options.name
    assert datetime.strptime(name, "tiny-%Y%m%d-%H%M%S")  # noqa: DTZ007


def test_names_of_the_same_second_are_numbered(tmp_path):
    name = new_name("a space", tmp_path)
    for known in (name, f"{name}-2"):
        (tmp_path / known).mkdir()
    assert new_name("a space", tmp_path).rpartition("-")[0] in {name, name.rpartition("-")[0]}
    assert not (tmp_path / new_name("a space", tmp_path)).exists()
    assert name.startswith("a-space-")


def test_a_name_that_exists_is_refused_with_the_remedy(plan, tmp_path):
    (tmp_path / "runs" / "mine").mkdir(parents=True)
    with pytest.raises(ConfigError, match=r"--name: .*mine, which exists. Go on with it by --res"):
        plan(name="mine")


def test_a_runs_folder_that_cannot_be_written_is_refused(plan, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="--runs-dir: expected a folder that can be written to"):
        plan(**{"runs-dir": tmp_path / "file" / "runs"})


def test_a_run_folder_that_cannot_be_written_is_refused():
    with pytest.raises(ConfigError, match="--resume: expected a folder that can be written to"):
        check_writable(Path("/proc"), "--resume")


@pytest.mark.parametrize("epochs", ["4", "100.0", '"100"'])
def test_pinned_epochs_beyond_the_longest_training_are_refused(plan, epochs):
    with pytest.raises(
        ConfigError, match=r"--set epochs: expected at most --max-epochs 3, got \d"
    ):
        plan("--set", f"epochs={epochs}")


def test_a_pinned_number_written_as_text_is_a_number(plan):
    made = plan("--set", "optimizer/lr=.001", "--set", "epochs=2.0")
    assert made.options.pins == {"optimizer/lr": 0.001, "epochs": 2}
    assert {config.optimizer.lr for config in made.check.configs.values()} == {0.001}


def test_problems_of_options_space_and_resources_are_reported_together(plan, tmp_path):
    (tmp_path / "runs" / "mine").mkdir(parents=True)
    with pytest.raises(ConfigError) as error:
        plan("--set", "optimizr/lr=1", "--cpus-per-trial", "5000", name="mine")
    starts = [problem.split(":")[0] for problem in error.value.problems]
    assert starts == ["--name", "--cpus-per-trial", "--set optimizr/lr"]


def test_wrong_data_is_refused(plan, tmp_path):
    with pytest.raises(ConfigError, match="nowhere"):
        plan(data=tmp_path / "nowhere")


def test_problems_with_the_data_are_reported_together_in_dry_and_in_real_runs(plan):
    pins = ("--set", "head/name=multi", "--set", "label_shift=58", "--metric", "val/f1/age")
    reported = []
    for arguments in (pins, (*pins, "--dry-run")):
        with pytest.raises(ConfigError) as error:
            plan(*arguments)
        reported.append(error.value.problems)
    paths = [problem.split(":")[0] for problem in reported[0]]
    assert paths == ["--metric", "head/name", "label_shift"]
    assert reported[0] == reported[1]


def test_what_cannot_be_built_is_refused_before_the_data_is_read(plan, tmp_path):
    with pytest.raises(ConfigError, match="resize: expected a size that test_vit can take"):
        plan("--set", "backbone/name=test_vit", "--set", "resize=33x47", data=tmp_path / "nowhere")


@pytest.mark.parametrize("size", ["[64,48]", "[64, 48]", "64x48"])
def test_a_size_can_be_pinned_in_two_forms(plan, size):
    assert plan("--set", f"resize={size}").check.sizes == ((64, 48),)


def test_a_network_that_no_data_fits_is_refused_before_the_run(plan):
    with pytest.raises(ConfigError, match="head/name"):
        plan("--set", "head/name=multi")


LABELS = LabelSpace(("a", "b"), {"age": Attribute(("young", "old"), (0, 1))})


@pytest.mark.parametrize(
    "metric", ["val/f1", "val/accuracy", "val/loss", "val/f1/age", "val/f1/age/old"]
)
def test_metrics_of_the_validation_part_can_be_searched_for(metric):
    check_metric(metric, LABELS)


@pytest.mark.parametrize(
    ("metric", "nearest"), [("val/f2", "val/f1"), ("val/f1/aeg", "val/f1/age")]
)
def test_an_unknown_metric_is_named_with_the_nearest(metric, nearest):
    with pytest.raises(ConfigError, match=f"--metric: .*Did you mean '{nearest}'"):
        check_metric(metric, LABELS)


def test_the_default_metric_is_one_that_every_data_set_has():
    check_metric(SearchOptions.model_fields["metric"].default, LabelSpace(("a", "b")))

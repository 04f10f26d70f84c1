"""``--from RUN/trials/ID``, without Ray; ``tests/test_docs.py`` runs one to its end."""

import json
import subprocess
from pathlib import Path

import fsspec
import optuna
import pytest

from search.again import comparison, read_recorded, record_of
from search.arguments import parse_arguments
from search.kept_files import kept_copy
from search.plan import make_plan
from search.run_record import AGAIN, create_run_folder, read_record
from trainable.augmentations.library import A
from trainable.config import parse_config
from trainable.data.prepared import read_data
from trainable.errors import ConfigError
from trainable.trial_folder import TrialFolder

CONFIG = {
    "backbone/name": "test_efficientnet",
    "backbone/pretrained": "small",
    "head/name": "shallow",
    "head/hidden": 33,
    "resize": "32x24",
    "sampler/name": "weighted",
    "loss/name": "focal",
    "loss/gamma": 1.2345678901234567,
    "optimizer/name": "adamp",
    "schedule/name": "cosine",
    "schedule/warmup": 0.1,
    "cutmix/name": "cutmix",
    "freeze/name": "melt",
    "freeze/after": "plateau",
    "patience": 3,
    "epochs": 2,
    "seed": 11,
}


def planned(*options: object):
    return make_plan(parse_arguments([str(option) for option in options]))


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """Keep copies of buckets where the test can clean up."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))


@pytest.fixture
def run(space_file, coloured_folder, cache_dir, tmp_path) -> Path:
    """Return a run folder whose trial 7 has begun."""
    places = ("--runs-dir", tmp_path / "runs", "--cache-dir", cache_dir, "--name", "a")
    what = ("--space", space_file, "--data", coloured_folder, "--seed", 5, "--metric", "val/loss")
    folder = create_run_folder(planned(*what, *places), [])
    write_trial(folder, CONFIG)
    return folder


def write_trial(run: Path, config: dict, curve: tuple[float, ...] = (0.1, 0.2)) -> TrialFolder:
    folder = TrialFolder.of(run, 7)
    folder.path.mkdir(parents=True, exist_ok=True)
    folder.write_config(parse_config(config).model_dump(mode="json"))
    rows = [{"epoch": e, "val/f1": v, "seconds": 1 / e} for e, v in enumerate(curve, start=1)]
    folder.write_metrics(rows)
    return folder


def again(run: Path, *options: object):
    return again_at(run, run, *options)


def again_at(place: object, run: Path, *options: object):
    """Plan to train trial 7 of the run at a place again, beside another run."""
    places = ("--runs-dir", run.parent / "again", "--cache-dir", run.parent / "cache")
    return planned("--from", f"{place}/trials/7", *places, *options)


def test_the_only_trial_has_the_recorded_configuration_and_the_split(run):
    plan = again(run)
    trial = optuna.create_study().ask()
    asked = plan.space.suggest_config(trial, pins={}, max_epochs=2, seed=0, number=0)
    assert parse_config(asked) == parse_config(CONFIG)
    options = plan.options
    assert (options.trials, options.max_epochs, options.scheduler) == (1, 2, "none")
    assert (options.metric, options.seed, options.cpus_per_trial) == ("val/loss", 5, 1.0)
    assert plan.data.index.table.equals(read_data(run).index.table)
    assert plan.run_folder.name.startswith("a-trial-0007-")


def test_the_run_folder_says_which_trial_it_trains_and_can_itself_be_begun_from(run):
    folder = create_run_folder(again(run, "--name", "b"), [])
    assert read_record(folder)[AGAIN] == {"run": str(run), "trial": 7}
    write_trial(folder, CONFIG)
    assert read_recorded(f"{folder}/trials/0007").config == parse_config(CONFIG)


def test_a_pipeline_of_augmentation_is_the_one_that_was_recorded(
    run, space_file, coloured_folder, cache_dir, tmp_path
):
    file = tmp_path / "mine.yaml"
    A.save(A.Compose([A.HorizontalFlip(p=0.5)]), file, data_format="yaml")
    before = file.read_text()
    pins = ("--set", "augmentation/name=custom", "--set", f"augmentation/file={file}")
    places = ("--runs-dir", tmp_path / "runs", "--cache-dir", cache_dir, "--name", "custom")
    what = ("--space", space_file, "--data", coloured_folder)
    folder = create_run_folder(planned(*what, *places, *pins), [])
    custom = {"augmentation/name": "custom", "augmentation/file": str(file)}
    write_trial(folder, CONFIG | custom)
    file.unlink()
    url = f"memory://{tmp_path.name}/runs/custom"
    fsspec.url_to_fs(url)[0].put(f"{folder}/", url, recursive=True)
    for place in (folder, url):
        (config,) = again_at(place, run).check.configs.values()
        assert Path(config.augmentation.file).read_text() == before


def test_a_copy_that_a_record_names_elsewhere_is_not_read(tmp_path):
    (tmp_path / "secret.yaml").touch()
    record = {"files": {"mine.yaml": {"copy": "../secret.yaml"}}}
    assert kept_copy(tmp_path / "run", record, "mine.yaml") == "mine.yaml"


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("trials/8", r"--from: expected a trial of .*a that has begun, got 0008\. Did you .*0007"),
        ("trials/best", r"--from: expected a trial such as runs/NAME/trials/0007, got "),
    ],
)
def test_another_trial_is_refused(run, place, message):
    with pytest.raises(ConfigError, match=message):
        planned("--from", f"{run}/{place}")


def test_a_run_that_there_is_not_is_refused_with_the_nearest(run):
    with pytest.raises(ConfigError, match=r"Did you mean '.*runs/a'\?"):
        planned("--from", f"{run}b/trials/7")


def test_a_damaged_record_is_named(run):
    record = read_record(run)
    record["options"]["seed"] = "five"
    (run / "run.json").write_text(json.dumps(record))
    with pytest.raises(ConfigError, match=r"run.json: options/seed: expected .*integer, got 'fiv"):
        again(run)


@pytest.mark.parametrize("option", ["--trials=3", "--seed=1", "--set=ema=0.9", "--space=x.py"])
def test_what_would_make_another_trial_of_it_is_refused(option):
    with pytest.raises(ConfigError, match="--from: expected nothing besides but --name, "):
        parse_arguments(["--from", "runs/a/trials/7", option])


def test_other_images_are_refused(run, tmp_path):
    other = tmp_path / "other"
    subprocess.run(["cp", "-r", read_record(run)["data"]["root"], other], check=True)
    again(run, "--data", other)  # the same images elsewhere
    next(other.glob("red/*.png")).write_bytes(next(other.glob("blue/*.png")).read_bytes())
    with pytest.raises(ConfigError, match=r"data: expected the images of .*others in .*other"):
        again(run, "--data", other)


def test_a_difference_in_the_curve_is_said_with_its_epoch_and_what_is_other_here(run, tmp_path):
    of = record_of(read_recorded(f"{run}/7"))
    assert "to the last bit, in all of its 2 epochs." in comparison(of, TrialFolder.of(run, 7))[0]
    other = write_trial(tmp_path / "longer", CONFIG, curve=(0.1, 0.2, 0.3))
    assert comparison(of, other)[0].endswith("this one went on to epoch 3.")
    record = read_record(run)
    record["versions"]["torch"] = "1.0"
    (run / "run.json").write_text(json.dumps(record))
    other = write_trial(tmp_path / "other", CONFIG, curve=(0.1, 0.20000000000000004))
    first, second = comparison(of, other)
    assert first.endswith("from epoch 2 on, val/f1 0.20000000000000004, not 0.2.")
    assert "torch" in second
    assert "not 1.0" in second

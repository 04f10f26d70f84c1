"""Weights of all backbones of a space: found out, checked and fetched before anything runs."""

from pathlib import Path

import pytest
from huggingface_hub import constants

import spaces
from search.arguments import parse_arguments
from search.plan import make_plan
from search.pretrained import (
    backbones_of,
    check_weights,
    download_weights,
    names_to_download,
)
from search.run import main
from search.space_check import check_space
from search.space_file import load_space
from trainable.errors import ConfigError

NAMES = [f"test_{kind}" for kind in ("efficientnet", "resnet", "convnext", "vit", "vit2", "vit3")]
HUB_NAMES = tuple(sorted(set(NAMES) - {"test_efficientnet"}))
SPACE = f"""
DEFAULTS = {{"trials": 2, "max_epochs": 1}}

def space(trial):
    name = trial.suggest_categorical("backbone/name", {NAMES})
    if name != "test_efficientnet":
        trial.suggest_categorical("backbone/pretrained", ["hub"])
    trial.suggest_categorical("resize", ["48x48"])
"""


@pytest.fixture
def space_file(tmp_path):
    path = tmp_path / "many.py"
    path.write_text(SPACE)
    return path


@pytest.fixture
def arguments(space_file, coloured_folder, cache_dir, tmp_path):
    """Return what a search of the space is started with, but for its weights."""
    places = {"--runs-dir": tmp_path / "runs", "--cache-dir": cache_dir, "--name": "a"}
    pairs = {"--space": space_file, "--data": coloured_folder, **places}
    return [str(text) for pair in pairs.items() for text in pair]


def suggestible(path, pins=None):
    pins = pins or {}
    space = load_space(path)
    check = check_space(space, pins=pins, max_epochs=1, seed=0)
    check.configs.clear()  # as if none of them had been drawn
    return [(b.name, b.pretrained) for b in backbones_of(space, check, pins)]


def test_every_backbone_is_found_with_every_start_drawn_or_not(space_file):
    hub = [(name, "hub") for name in NAMES if name != "test_efficientnet"]
    assert suggestible(space_file) == sorted([*hub, ("test_efficientnet", "none")])


def test_a_pinned_start_is_that_of_all(space_file):
    pins = {"backbone/pretrained": "none"}
    assert suggestible(space_file, pins) == sorted((name, "none") for name in NAMES)


def test_with_a_pinned_name_the_sampled_backbones_are_all(space_file):
    assert suggestible(space_file, {"backbone/name": "test_vit"}) == []


def test_all_files_that_a_folder_lacks_are_named_at_once(arguments, tmp_path):
    weights = tmp_path / "weights"
    weights.mkdir()
    (weights / "test_vit.safetensors").touch()
    given = parse_arguments([*arguments, "--weights-dir", str(weights)])
    with pytest.raises(ConfigError) as error:
        make_plan(given)
    missing = sorted(set(NAMES) - {"test_efficientnet", "test_vit"})
    assert len(error.value.problems) == len(missing)
    for name, problem in zip(missing, error.value.problems, strict=True):
        start = f"backbone/pretrained: expected weights of {name} in {weights}, got none."
        assert problem.startswith(f"{start} Put them there as {name}.safetensors or {name}/model.")


def test_a_dry_run_with_a_folder_that_is_not_there_is_refused(arguments, tmp_path, capsys):
    weights = ["--weights-dir", str(tmp_path / "gone")]
    assert main([*arguments, *weights, "--dry-run"]) == 2
    assert "gone, got no such folder." in capsys.readouterr().err


def test_the_folder_is_known_by_its_whole_path(arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = parse_arguments([*arguments, "--weights-dir", "weights"])
    assert given.values["weights_dir"] == tmp_path / "weights"


def test_with_a_folder_nothing_is_downloaded(space_file, tmp_path):
    space = load_space(space_file)
    check = check_space(space, pins={}, max_epochs=1, seed=0)
    backbones = backbones_of(space, check, {})
    assert names_to_download(backbones, tmp_path) == ()
    assert names_to_download(backbones, None) == HUB_NAMES


def test_without_network_a_search_is_refused_before_anything_runs(
    arguments, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert main(arguments) == 2
    problem = capsys.readouterr().err
    assert "expected weights of test_convnext from the hub, got" in problem
    assert "Missing: test_convnext, test_resnet, test_vit, test_vit2, test_vit3." in problem
    assert not (tmp_path / "runs").exists()


def test_progress_ends_with_all_models():
    seen = []
    download_weights([], lambda *done: seen.append(done))
    assert seen == [(0, 0)]


def test_a_search_that_goes_on_may_find_its_weights_in_another_folder(tmp_path):
    given = parse_arguments(["--resume", str(tmp_path), "--weights-dir", str(tmp_path / "moved")])
    assert given.values == {"weights_dir": tmp_path / "moved"}


@pytest.mark.parametrize("name", ["full", "backbones", "finetune"])
def test_timm_has_weights_of_every_backbone_of_a_space(name):
    space = load_space(Path(spaces.__path__[0], f"{name}.py"))
    backbones = backbones_of(space, check_space(space, pins={}, max_epochs=9, seed=0), {})
    assert {backbone.pretrained for backbone in backbones} == {"hub"}
    check_weights(backbones, None)
    assert len(backbones) >= 3

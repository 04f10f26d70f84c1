"""Every space of the repository is tried: suggestions sampled, each parsed and built."""

import re
from itertools import product
from pathlib import Path

import albumentations as A  # noqa: N812
import numpy as np
import pytest
from PIL import Image

import spaces
from search.fit_check import check_fit
from search.run import main
from search.space_check import SpaceCheck, check_space
from search.space_file import Space, load_space
from trainable.config import TrialConfig, family_members
from trainable.data.prepared import PreparedData, prepare_data
from trainable.data.sources.mask_competition import MASK_OF_PHOTO

FILES = sorted(
    path
    for path in Path(spaces.__path__[0]).glob("*.py")
    if path.stem not in ("__init__", "listed", "suggest")
)
README = Path(__file__).parents[2] / "README.md"
# Data of any kind, as the docstrings of the spaces say.
WITHOUT_AGES = {"head/name": "linear", "label_shift": 60}
TINY = {"backbone/name": "test_efficientnet", "backbone/pretrained": "small", "resize": "64x48"}


def each_space(function):
    return pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)(function)


def checked(space: Space, pins=None) -> SpaceCheck:
    max_epochs = space.recommended.get("max_epochs", 30)
    return check_space(space, pins=pins or {}, max_epochs=max_epochs, seed=0)


@pytest.fixture(scope="module")
def people_folder(tmp_path_factory) -> Path:
    """Return images of people with attributes and ages, which some parts depend on."""
    folder = tmp_path_factory.mktemp("people")
    for number, (gender, years) in enumerate(product(("male", "female"), (25, 45, 65) * 5)):
        person = folder / f"{number:03d}_{gender}_Asian_{years}"
        person.mkdir()
        for photo in MASK_OF_PHOTO:
            pixels = np.full((8, 6, 3), number * 8, dtype=np.uint8)
            Image.fromarray(pixels).save(person / f"{photo}.png")
    return folder


@pytest.fixture(scope="module")
def people(people_folder, tmp_path_factory) -> PreparedData:
    return prepare_data(str(people_folder), cache_dir=tmp_path_factory.mktemp("cache"), seed=0)


@pytest.fixture(scope="module")
def colours(coloured_folder, tmp_path_factory) -> PreparedData:
    """Return images without attributes or ages."""
    return prepare_data(str(coloured_folder), cache_dir=tmp_path_factory.mktemp("cache"), seed=0)


@pytest.fixture(scope="module")
def checks() -> dict[str, SpaceCheck]:
    """Return what sampling each space showed, with everything it suggested parsed and built."""
    return {path.stem: checked(load_space(path)) for path in FILES}


@each_space
def test_whatever_a_space_suggests_can_be_trained(path, checks, people):
    check = checks[path.stem]
    check_fit(check.configs.values(), people)
    assert check.num_samples >= 50


@each_space
def test_a_space_runs_on_data_without_attributes_or_ages(path, colours):
    space = load_space(path)
    asked = checked(space).dimensions
    pins = {name: value for name, value in WITHOUT_AGES.items() if name in asked}
    check_fit(checked(space, pins).configs.values(), colours)
    assert all(f"--set {name}={value}" in space.source for name, value in pins.items())


@each_space
def test_every_start_is_one_configuration_of_its_own(path, checks):
    space = load_space(path)
    assert checks[path.stem].starts == list(space.starts)


@each_space
def test_a_space_says_what_it_is_for_and_how_to_run_it(path):
    docstring = load_space(path).source.split('"""')[1]
    assert f"python -m search.run --space spaces/{path.name}" in docstring
    assert "When last run" in docstring or "has not been run on a GPU yet" in docstring


@each_space
def test_a_space_says_how_many_names_it_asks_for(path, checks):
    said = re.search(r"(\d+) choices(?: and numbers)?, of which (\d+) ", load_space(path).source)
    check = checks[path.stem]
    conditional = [name for name in check.dimensions if check.is_conditional(name)]
    assert said.groups() == (str(len(check.dimensions)), str(len(conditional)))


@each_space
def test_the_readme_says_how_large_a_space_is(path, checks):
    rows = [line for line in README.read_text().splitlines() if f"`spaces/{path.name}` |" in line]
    *_, asks_for, length, _ = rows[0].split("|")
    defaults = load_space(path).recommended
    assert asks_for.split()[0] == str(len(checks[path.stem].dimensions))
    assert length.strip() == f"{defaults['trials']} × {defaults['max_epochs']}"


@pytest.mark.parametrize("family", [n for n in TrialConfig.model_fields if family_members(n)])
def test_every_part_of_a_family_is_drawn_in_some_space(family, checks):
    configs = [config for check in checks.values() for config in check.configs.values()]
    drawn = {type(getattr(config, family)) for config in configs}
    # A pipeline of one's own is no part of a space that ships.
    wanted = {part for part in family_members(family) if part.__name__ != "Custom"}
    assert drawn == wanted


@each_space
def test_a_space_can_be_tried_with_a_tiny_backbone(path):
    space = load_space(path)
    check = checked(space, TINY)
    assert {config.resize for config in check.configs.values()} == {(64, 48)}
    assert {config.backbone.pretrained for config in check.configs.values()} == {"small"}
    assert len(check.starts) == len({str(start) for start in check.starts}) >= 1


@each_space
def test_a_pipeline_of_ones_own_can_be_pinned(path, tmp_path):
    file = tmp_path / "mine.json"
    A.save(A.Compose([A.VerticalFlip(p=0.5)]), file, data_format="json")
    pins = {"augmentation/name": "custom", "augmentation/file": str(file)}
    configs = checked(load_space(path), TINY | pins).configs.values()
    assert {config.augmentation.file for config in configs} == {str(file)}


@pytest.mark.parametrize("stem", ["backbones", "one_at_a_time"])
def test_a_finite_space_tries_each_of_its_rows_to_the_end(stem, checks):
    space = load_space(next(path for path in FILES if path.stem == stem))
    assert space.recommended["trials"] == len(space.starts)
    assert space.recommended["scheduler"] == "none"
    patience = {config.patience for config in checks[stem].configs.values()}
    assert patience == {None}


def test_backbones_differ_in_the_backbone_alone():
    rows = load_space(next(path for path in FILES if path.stem == "backbones")).starts
    rest = [{n: v for n, v in row.items() if n != "backbone/name"} for row in rows]
    assert all(row == rest[0] for row in rest)


def test_a_row_of_an_ablation_differs_from_the_base_in_one_family():
    space = load_space(next(path for path in FILES if path.stem == "one_at_a_time"))
    base, *rows = space.starts
    for row in rows:
        differing = {name for name, value in {**base, **row}.items() if base.get(name) != value}
        differing |= {name for name in base if name not in row}
        assert len({name.split("/")[0] for name in differing}) == 1


@each_space
def test_the_dry_run_of_a_space_is_clean(path, people_folder, tmp_path, capsys):
    places = ["--runs-dir", tmp_path / "runs", "--cache-dir", tmp_path / "cache"]
    arguments = ["--space", path, "--data", people_folder, "--dry-run", *places]
    assert main([str(argument) for argument in arguments]) == 0
    printed = capsys.readouterr()
    assert "Would search for the highest val/f1" in printed.out
    stops_none = load_space(path).recommended.get("scheduler") == "none"
    assert ("No trial would be stopped early." in printed.out) == stops_none
    assert printed.err == ""
    assert not (tmp_path / "runs").exists()

"""Every space of the repository is tried: suggestions sampled, each parsed and built."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import spaces
from search.build_check import check_builds
from search.space_check import check_space
from search.space_file import load_space
from trainable.data.prepared import PreparedData, prepare_data
from trainable.data.sources.mask_competition import MASK_OF_PHOTO

FILES = sorted(
    path
    for path in Path(spaces.__path__[0]).glob("*.py")
    if path.stem not in ("__init__", "suggest")
)
NUM_SUGGESTIONS = 50


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> PreparedData:
    """Return images of people with attributes and ages, which some parts depend on."""
    folder = tmp_path_factory.mktemp("people")
    for number, (gender, years) in enumerate(product(("male", "female"), (25, 45, 65) * 5)):
        person = folder / f"{number:03d}_{gender}_Asian_{years}"
        person.mkdir()
        for photo in MASK_OF_PHOTO:
            pixels = np.full((8, 6, 3), number * 8, dtype=np.uint8)
            Image.fromarray(pixels).save(person / f"{photo}.png")
    return prepare_data(str(folder), cache_dir=tmp_path_factory.mktemp("cache"), seed=0)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_whatever_a_space_suggests_can_be_trained(path, data):
    space = load_space(path)
    max_epochs = space.recommended.get("max_epochs", 30)
    check = check_space(space, pins={}, max_epochs=max_epochs, seed=0, num_samples=NUM_SUGGESTIONS)
    check_builds(check.configs.values(), data)
    assert len(check.configs) == NUM_SUGGESTIONS


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_space_says_what_it_is_for_and_how_to_run_it(path):
    source = load_space(path).source
    assert f"python -m search.run --space spaces/{path.name}" in source.split('"""')[1]

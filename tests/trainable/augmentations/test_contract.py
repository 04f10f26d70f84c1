"""What every augmentation of the family keeps to."""

import numpy as np
import pytest
from pydantic import ValidationError

from trainable.augmentations import Augmentation
from trainable.augmentations.apply import augment
from trainable.augmentations.custom import Custom
from trainable.augmentations.library import A
from trainable.augmentations.presets import NoAugmentation
from trainable.part import members

SIZE = (32, 24)
PRESETS = [part for part in members(Augmentation) if part is not Custom]
ACTIVE = [part for part in members(Augmentation) if part is not NoAugmentation]


@pytest.fixture(scope="module")
def custom(tmp_path_factory):
    file = tmp_path_factory.mktemp("augmentations") / "mine.yaml"
    pipeline = A.Compose([A.VerticalFlip(p=0.5), A.GaussianBlur(p=1.0)])
    A.save(pipeline, file, data_format="yaml")
    return Custom(file=str(file))


@pytest.fixture(params=ACTIVE, ids=lambda part: part.part_name())
def part(request):
    if request.param is Custom:
        return request.getfixturevalue("custom")
    return request.param()


@pytest.fixture
def pipeline(part):
    return part.build(SIZE)


def photo(number=0):
    rng = np.random.default_rng(number)
    ramp = np.linspace(40, 200, SIZE[1])[None, :, None] * [1.0, 0.8, 0.6]
    return (ramp + rng.uniform(0, 20, (*SIZE, 3))).astype(np.uint8)


def test_size_and_type_stay(pipeline):
    for number in range(20):
        augmented = augment(pipeline, photo(number), (1, number))
        assert augmented.shape == (*SIZE, 3)
        assert augmented.dtype == np.uint8


def test_images_change_and_the_original_stays(pipeline):
    original = photo()
    changed = [not np.array_equal(augment(pipeline, original, (i,)), photo()) for i in range(8)]
    assert any(changed)
    assert np.array_equal(original, photo())


def test_the_same_key_gives_the_same_bits_in_whatever_order(part, pipeline):
    keys = [(7, epoch, sample) for epoch in range(3) for sample in range(10)]
    forward = {key: augment(pipeline, photo(), key) for key in keys}
    other = part.build(SIZE)
    for key in reversed(keys):
        assert np.array_equal(augment(other, photo(), key), forward[key])


def test_other_keys_give_other_draws(pipeline):
    keys = [(7, epoch, sample) for epoch in range(3) for sample in range(10)]
    results = {augment(pipeline, photo(), key).tobytes() for key in keys}
    assert len(results) > 1


def test_pythons_and_numpys_own_generators_are_left_alone(pipeline):
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    augment(pipeline, photo(), (1,))
    assert np.array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_a_described_part_survives_its_own_dump(part):
    assert type(part)(**part.model_dump()) == part
    assert part.description().endswith(".")


def test_none_builds_nothing():
    assert NoAugmentation().build(SIZE) is None


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_have_nothing_to_set(preset):
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        preset(p=0.5)

"""What every sampler of the family keeps to."""

import pickle

import numpy as np
import pytest

from trainable.part import members
from trainable.samplers import Sampling

NUM_CLASSES = 5
# Class 3 has no training image; the images of a class are not neighbours.
LABELS = np.random.default_rng(0).permutation(np.repeat([0, 1, 2, 4], [60, 25, 5, 10]))

every_sampler = pytest.mark.parametrize(
    "part", [part() for part in members(Sampling)], ids=lambda part: part.name
)


def build(part, seed=3):
    return part.build(LABELS, num_classes=NUM_CLASSES, seed=seed)


@every_sampler
def test_an_epoch_has_as_many_positions_as_there_are_images(part):
    positions = build(part).draw(1)
    assert positions.shape == LABELS.shape
    assert positions.dtype == np.int64
    assert positions.min() >= 0
    assert positions.max() < len(LABELS)


@every_sampler
def test_an_epochs_positions_depend_on_seed_and_epoch_alone(part):
    sampler = build(part)
    fifth = sampler.draw(5)
    sampler.draw(1)
    assert np.array_equal(sampler.draw(5), fifth)
    assert np.array_equal(build(part).draw(5), fifth)


@every_sampler
def test_the_global_random_state_is_neither_read_nor_moved(part):
    np.random.seed(1)  # noqa: NPY002  the legacy state is what is tested
    first = build(part).draw(2)
    after_first = np.random.random()  # noqa: NPY002
    np.random.seed(1)  # noqa: NPY002
    assert np.random.random() == after_first  # noqa: NPY002
    assert np.array_equal(build(part).draw(2), first)


@every_sampler
def test_epochs_differ(part):
    sampler = build(part)
    assert not np.array_equal(sampler.draw(1), sampler.draw(2))


@every_sampler
def test_seeds_differ(part):
    assert not np.array_equal(build(part, seed=3).draw(1), build(part, seed=4).draw(1))


@every_sampler
def test_the_order_mixes_the_classes(part):
    drawn = LABELS[build(part).draw(1)]
    assert (np.diff(drawn) != 0).sum() > len(drawn) // 4


@every_sampler
def test_the_labels_are_left_as_they_are(part):
    before = LABELS.copy()
    build(part).draw(1)
    assert np.array_equal(LABELS, before)


@every_sampler
def test_a_sampler_can_be_pickled(part):
    sampler = build(part)
    assert np.array_equal(pickle.loads(pickle.dumps(sampler)).draw(4), sampler.draw(4))

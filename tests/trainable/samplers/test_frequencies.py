"""How often each image and class is drawn."""

import numpy as np
import pytest
from pydantic import ValidationError
from sklearn.utils.class_weight import compute_class_weight

from trainable.samplers.balanced import ImbalancedSampling, WeightedSampling, image_chances
from trainable.samplers.shuffled import PlainSampling

# The rarest class is neither the first nor the last, and class 3 has no training image.
COUNTS = {0: 30, 1: 120, 2: 6, 4: 44}
LABELS = np.repeat(list(COUNTS), list(COUNTS.values()))
NUM_EPOCHS = 200


def drawn_positions(part):
    sampler = part.build(LABELS, num_classes=5, seed=7)
    return np.concatenate([sampler.draw(epoch) for epoch in range(1, NUM_EPOCHS + 1)])


def chi_square(counts, expected):
    """Deviation from the expected counts; about 1 a degree of freedom where they are right."""
    return ((counts - expected) ** 2 / expected).sum() / (len(expected) - 1)


def test_none_draws_every_image_once_an_epoch():
    positions = PlainSampling().build(LABELS, num_classes=5, seed=7).draw(3)
    assert np.array_equal(np.sort(positions), np.arange(len(LABELS)))


def test_none_puts_every_image_everywhere():
    sampler = PlainSampling().build(LABELS, num_classes=5, seed=7)
    first = [sampler.draw(epoch)[0] for epoch in range(2000)]
    assert chi_square(np.bincount(first, minlength=200), np.full(200, 10.0)) < 1.4


def test_imbalanced_draws_every_class_with_an_image_equally_often():
    counts = np.bincount(LABELS[drawn_positions(ImbalancedSampling())], minlength=5)
    assert counts[3] == 0
    assert chi_square(counts[[0, 1, 2, 4]], np.full(4, 10_000.0)) < 4


def test_imbalanced_draws_the_images_of_a_class_equally_often():
    positions = drawn_positions(ImbalancedSampling())
    of_rare = np.array([(positions == i).sum() for i in np.flatnonzero(LABELS == 2)])
    assert chi_square(of_rare, np.full(6, of_rare.sum() / 6)) < 4


@pytest.mark.parametrize("power", [0.1, 0.5, 1.5])
def test_weighted_draws_classes_by_their_inverse_frequency_to_the_power(power):
    num_images = np.array(list(COUNTS.values()))
    shares = num_images * (1.0 / num_images) ** power
    counts = np.bincount(LABELS[drawn_positions(WeightedSampling(power=power))], minlength=5)
    assert counts[3] == 0
    expected = shares / shares.sum() * len(LABELS) * NUM_EPOCHS
    assert chi_square(counts[[0, 1, 2, 4]], expected) < 4


def test_weights_follow_the_class_number_not_the_rank_of_its_frequency():
    chances = image_chances(np.array([1, 1, 1, 0, 2, 2]), 4, power=1.0)
    np.testing.assert_allclose(chances, np.array([1 / 3, 1 / 3, 1 / 3, 1, 1 / 2, 1 / 2]) / 3)


def test_weights_of_power_one_are_scikit_learns_balanced_class_weights():
    classes = np.array(list(COUNTS))
    weights = compute_class_weight("balanced", classes=classes, y=LABELS)
    by_class = dict(zip(classes.tolist(), weights, strict=True))
    balanced = np.array([by_class[label] for label in LABELS.tolist()])
    np.testing.assert_allclose(image_chances(LABELS, 5, power=1.0), balanced / balanced.sum())


def test_a_class_with_no_image_changes_no_chance():
    np.testing.assert_array_equal(
        image_chances(LABELS, 5, power=0.5), image_chances(LABELS, 50, power=0.5)
    )


@pytest.mark.parametrize("power", [0.0, -0.5])
def test_a_power_that_does_not_favour_rare_classes_is_refused(power):
    with pytest.raises(ValidationError, match="greater than 0"):
        WeightedSampling(power=power)

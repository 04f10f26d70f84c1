"""Intervals cover what they say they cover, where the truth is known."""

import numpy as np
import pytest

from analysis.estimates.interval import Resamples, corrected_interval, interval
from analysis.estimates.labelled import Labelled
from analysis.estimates.metric import scorer
from analysis.estimates.people import folds, resample_weights
from trainable.data.index import LabelSpace

PHOTOS = 7
GROUP_SHARES = (0.44, 0.48, 0.08)
LABELS = LabelSpace(("young", "middle", "old", "young masked", "middle masked", "old masked"))


def simulated(num_people, seed):
    """Return people of three groups, few of them old, and predictions of their photos.

    Photos of one person are right or wrong together: a person looks younger or older than they
    are, and is told apart from the neighbouring group the less.
    """
    rng = np.random.default_rng(seed)
    counts = np.round(np.array(GROUP_SHARES) * num_people).astype(int)
    group_P = np.repeat(np.arange(3), counts)
    looks_P = group_P + rng.normal(0, 0.45, len(group_P))
    looks_PF = looks_P[:, None] + rng.normal(0, 0.25, (len(group_P), PHOTOS))
    guess_PF = np.digitize(looks_PF, [0.5, 1.6])
    is_masked_F = np.arange(PHOTOS) < 5
    labels_N = (group_P[:, None] + 3 * is_masked_F).ravel()
    predicted_N = (guess_PF + 3 * is_masked_F).ravel()
    person_N = np.repeat(np.arange(len(group_P)), PHOTOS)
    return Labelled(labels_N, person_N, {}, LABELS), np.eye(6, dtype=np.float32)[predicted_N]


@pytest.mark.parametrize("metric", ["f1", "accuracy"])
def test_nine_in_ten_intervals_hold_the_truth(metric):
    images, predicted = simulated(60_000, seed=0)
    truth = scorer(metric, images).of(predicted)
    inside, inside_by_image = [], []
    for seed in range(1, 201):
        images, predicted = simulated(120, seed)
        low, high = Resamples(images, num_resamples=200).interval(metric, predicted)
        inside.append(low <= truth <= high)
        alone = Labelled(images.labels, np.arange(len(images)), {}, LABELS)
        low, high = Resamples(alone, num_resamples=50).interval(metric, predicted)
        inside_by_image.append(low <= truth <= high)
    assert 0.84 <= np.mean(inside) <= 0.96
    # What the people are there for: as if photos were independent, intervals are far too narrow.
    assert np.mean(inside_by_image) < 0.7


# People of six common kinds and three rare ones, such as the old.
KINDS = (18, 18, 18, 18, 18, 18, 3, 3, 3)
NINE = LabelSpace(tuple("abcdefghi"))


def guessed(times, seed):
    """Return so many times 117 people of nine kinds, and photos that are often mistaken."""
    rng = np.random.default_rng(seed)
    kind_P = np.repeat(np.arange(9), np.array(KINDS) * times)
    person_N = np.repeat(np.arange(len(kind_P)), PHOTOS)
    labels_N = kind_P[person_N]
    looks_NC = rng.normal(0, 0.7, (len(kind_P), 9))[person_N]
    looks_NC += rng.normal(0, 1, looks_NC.shape)
    looks_NC[np.arange(len(labels_N)), labels_N] += 1.2
    predicted = np.eye(9, dtype=np.float32)[looks_NC.argmax(axis=1)]
    return Labelled(labels_N, person_N, {}, NINE), predicted


def test_intervals_of_a_poor_macro_f1_of_few_people_a_class_hold_the_truth_and_lie_higher():
    """Resamples lack some of the few old people that there are, which lowers their macro F1."""
    images, predicted = guessed(400, seed=0)
    truth = scorer("f1", images).of(predicted)
    inside, moved = [], []
    for seed in range(1, 201):
        images, predicted = guessed(1, seed)
        low, high = Resamples(images, num_resamples=300).interval("f1", predicted)
        inside.append(low <= truth <= high)
        weights = resample_weights(images, num_resamples=300, seed=0)
        uncorrected = interval(scorer("f1", images).resampled(predicted, weights))
        moved.append(low + high - sum(uncorrected))
    assert 0.85 <= np.mean(inside) <= 0.95
    assert np.mean(np.array(moved) > 0) > 0.95


def test_a_corrected_interval_worked_out_by_hand():
    """A third of 0 … 99 lies below the estimate, so that z0 is -0.4307.

    Without acceleration the quantiles are those of Φ(2 z0 ± 1.6449): 0.0061 and 0.7834.
    """
    values = np.arange(99.0)
    low, high = corrected_interval(values, estimate=32.5, left_out_G=np.full(5, 0.3))
    assert low == pytest.approx(98 * 0.0061, abs=0.02)
    assert high == pytest.approx(98 * 0.7834, abs=0.02)


def test_a_few_people_who_add_much_draw_the_interval_to_their_side():
    """Four of five people add 0.1 each and one takes 0.4: the acceleration is -0.1118.

    That is (4 * 0.001 - 0.064) / (6 * (4 * 0.01 + 0.16) ** 1.5); z = ±1.6449 then turns into
    z / (1 + 0.1118 z), which is -2.0155 and 1.3894.
    """
    values = np.arange(101.0)
    left_out = np.array([0.4, 0.4, 0.4, 0.4, 0.9])
    low, high = corrected_interval(values, estimate=50.0, left_out_G=left_out)
    assert low == pytest.approx(100 * 0.0219, abs=0.1)
    assert high == pytest.approx(100 * 0.9177, abs=0.1)


def test_the_interval_is_the_middle_nine_tenths_of_those_that_have_a_value():
    values = np.concatenate([np.arange(101.0), [np.nan] * 5])
    assert interval(values) == (5.0, 95.0)


def test_an_interval_of_a_gain_is_narrower_than_that_of_either_prediction():
    images, predicted = simulated(200, seed=5)
    better = predicted.copy()
    is_mended = images.person % 10 == 0
    better[is_mended] = np.eye(6, dtype=np.float32)[images.labels[is_mended]]
    resamples = Resamples(images, num_resamples=300)
    low, high = resamples.interval_of_gain("accuracy", better, than_NC=predicted)
    own_low, own_high = resamples.interval("accuracy", better)
    assert 0 <= low < high
    assert high - low < (own_high - own_low) / 2


def test_the_same_resamples_serve_every_prediction():
    images, predicted = simulated(50, seed=6)
    resamples = Resamples(images, num_resamples=40)
    assert resamples.interval_of_gain("f1", predicted, than_NC=predicted) == (0.0, 0.0)
    mean = resamples.interval_of_mean("f1", [predicted, predicted])
    assert mean == resamples.interval("f1", predicted)


def test_a_resample_draws_as_many_people_as_there_are():
    images, _ = simulated(50, seed=7)
    weights = resample_weights(images, num_resamples=30, seed=1)
    assert weights.shape == (30, images.num_people)
    assert (weights.sum(axis=1) == images.num_people).all()
    assert len(np.unique(weights, axis=0)) == 30
    np.testing.assert_array_equal(weights, resample_weights(images, num_resamples=30, seed=1))


def test_folds_hold_each_person_once_and_deal_out_the_old_evenly():
    images, _ = simulated(120, seed=8)
    masks = list(folds(images, num_folds=5, seed=0))
    np.testing.assert_array_equal(np.sum(masks, axis=0), np.ones(len(images)))
    for mask in masks:
        assert not set(images.person[mask]) & set(images.person[~mask])
        assert len(set(images.person[mask & (images.labels == 2)])) == 2


def test_other_seeds_deal_out_other_folds():
    images, _ = simulated(50, seed=9)
    first, other = (next(folds(images, num_folds=5, seed=seed)) for seed in (0, 1))
    assert (first != other).any()


def test_fewer_people_than_folds_give_fewer_folds():
    images, _ = simulated(50, seed=9)
    three = images.subset(np.isin(images.person, [0, 1, 2]))
    assert len(list(folds(three, num_folds=5, seed=0))) == 3

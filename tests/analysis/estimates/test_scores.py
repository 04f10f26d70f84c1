"""Every metric of many averages at once is what ``trainable.metrics.score`` says of each."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from analysis.estimates.contest import favourites, upsets
from analysis.estimates.labelled import Labelled
from analysis.estimates.metric import scorer
from analysis.estimates.stack import Stack
from trainable.data.index import Attribute, LabelSpace
from trainable.errors import ConfigError
from trainable.metrics import score

LABELS = LabelSpace(
    tuple("abcdefg"),
    {
        "size": Attribute(("small", "middle", "large"), (0, 0, 1, 1, 2, 2, 2)),
        "single": Attribute(("only",), (0,) * 7),
        "camera": Attribute(("old", "new", "unused"), None),
    },
)
NUM_IMAGES, NUM_CANDIDATES = 60, 9


@pytest.fixture
def images():
    """Sixty images of twelve people; class g never occurs, nor does the camera ``unused``."""
    rng = np.random.default_rng(1)
    return Labelled(
        labels=rng.integers(0, 6, NUM_IMAGES),
        person=np.repeat(np.arange(12), 5),
        groups={"camera": rng.integers(0, 2, NUM_IMAGES)},
        label_space=LABELS,
    )


def probabilities(*shape, sharpness=0.4, seed=2):
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.full(7, sharpness), shape).astype(np.float32)


def reference(images, probabilities_NC):
    groups = {name: torch.from_numpy(values) for name, values in images.groups.items()}
    labels = torch.from_numpy(images.labels)
    return score(torch.from_numpy(probabilities_NC), labels, images.label_space, groups)


@pytest.mark.parametrize("num_votes", [0, 1, 2, 12])
def test_the_average_with_each_candidate_scores_as_training_would_score_it(images, num_votes):
    candidates = probabilities(NUM_CANDIDATES, NUM_IMAGES)
    total = probabilities(num_votes, NUM_IMAGES, seed=3).sum(axis=0, dtype=np.float32)
    stack = Stack.of(candidates)
    for number, candidate in enumerate(candidates):
        wanted = reference(images, (total + candidate) / np.float32(num_votes + 1))
        assert {"f1", "loss", "f1/size/large", "f1/camera", "class_f1/a"} <= set(wanted)
        for metric, value in wanted.items():
            got = scorer(metric, images).added(total, num_votes, stack)[number]
            assert got == pytest.approx(value, abs=1e-6), metric


def test_a_metric_that_no_image_has_is_missing(images):
    stack = Stack.of(probabilities(2, NUM_IMAGES))
    assert np.isnan(scorer("f1/camera/unused", images).of_each(stack)).all()


def test_a_metric_of_one_prediction_is_the_same_by_itself_and_unweighted(images):
    predicted = probabilities(NUM_IMAGES)
    everyone_once = np.ones((1, 12), np.float32)
    for metric, value in reference(images, predicted).items():
        of = scorer(metric, images)
        assert of.of(predicted) == pytest.approx(value, abs=1e-6), metric
        assert of.resampled(predicted, everyone_once)[0] == pytest.approx(value, abs=1e-6), metric


def test_a_person_who_counts_twice_is_as_good_as_a_copy_of_them(images):
    predicted = probabilities(NUM_IMAGES)
    weights = np.zeros(12, np.float32)
    weights[[0, 3, 7]] = [2, 1, 3]
    rows = np.concatenate([np.flatnonzero(images.person == p) for p in (0, 0, 3, 7, 7, 7)])
    drawn = images.subset(rows)
    for metric, value in reference(drawn, predicted[rows]).items():
        got = scorer(metric, images).resampled(predicted, weights[None])[0]
        assert got == pytest.approx(value, abs=1e-6), metric


def test_f1_worked_out_by_hand():
    """Truth a a b b, predicted a b b b: F1 of a is 2/3, of b 4/5; c occurs nowhere."""
    images = Labelled(np.array([0, 0, 1, 1]), np.arange(4), {}, LabelSpace(("a", "b", "c")))
    predicted = np.eye(3, dtype=np.float32)[[0, 1, 1, 1]]
    assert scorer("f1", images).of(predicted) == pytest.approx((2 / 3 + 4 / 5) / 2)
    assert scorer("accuracy", images).of(predicted) == 0.75
    assert scorer("class_f1/b", images).of(predicted) == pytest.approx(0.8)
    assert math.isnan(scorer("class_f1/c", images).of(predicted))


def test_loss_worked_out_by_hand():
    """The true class gets 1/2 and 1/4; with a vote of 1/2 each, 1/2 and 3/8."""
    images = Labelled(np.array([0, 1]), np.arange(2), {}, LabelSpace(("a", "b")))
    predicted = np.array([[0.5, 0.5], [0.75, 0.25]], np.float32)
    loss = scorer("loss", images)
    assert loss.of(predicted) == pytest.approx(math.log(8) / 2)
    total = np.full((2, 2), 0.5, np.float32)
    got = loss.added(total, 1, Stack.of([predicted]))
    assert got[0] == pytest.approx(math.log(16 / 3) / 2)
    certain = np.array([[0.0, 1.0], [0.0, 1.0]], np.float32)
    assert loss.of(certain) == pytest.approx(math.log(1e12) / 2, rel=1e-6)


@pytest.mark.parametrize("num_votes", [0, 1, 5, 40])
def test_only_images_that_a_candidate_can_turn_are_looked_at_and_none_is_missed(num_votes):
    stack = Stack.of(probabilities(NUM_CANDIDATES, 300))
    total = num_votes * probabilities(300, seed=4, sharpness=0.1)
    favourite = favourites(total, stack)
    winner = np.repeat(favourite[:, None], NUM_CANDIDATES, axis=1)
    for images, candidates, classes in upsets(total, stack, favourite):
        winner[images, candidates] = classes
    np.testing.assert_array_equal(winner, (total[:, :, None] + stack.probabilities).argmax(axis=1))


def test_the_first_of_equally_probable_classes_wins_as_in_argmax():
    images = Labelled(np.array([1, 2]), np.arange(2), {}, LabelSpace(("a", "b", "c")))
    half = np.array([[0, 0.5, 0.5], [0, 0.5, 0.5]], np.float32)
    assert scorer("accuracy", images).of(half) == 0.5
    other = np.array([[0.5, 0, 0.5], [0.25, 0.25, 0.5]], np.float32)
    got = scorer("accuracy", images).added(half, 1, Stack.of([half, other]))
    assert got.tolist() == [0.5, 0.5]


def test_an_unknown_metric_is_refused(images):
    with pytest.raises(ConfigError, match=r"got 'val/f1/sizes'\. Did you mean 'val/f1/size'\?"):
        scorer("f1/sizes", images)


def test_people_of_a_subset_are_numbered_without_gaps(images):
    some = images.subset(np.isin(images.person, [2, 5, 11]))
    assert (len(some), some.num_people) == (15, 3)
    assert set(some.person) == {0, 1, 2}
    assert replace(some, labels=some.labels[:0], person=some.person[:0]).num_people == 0

import numpy as np
import pytest

from trainable.pictures.mistakes import draw_mistakes, most_confident_mistakes

PROBABILITIES = np.array(
    [[0.9, 0.1, 0.0], [0.2, 0.7, 0.1], [0.1, 0.0, 0.9], [0.3, 0.6, 0.1], [0.8, 0.1, 0.1]]
)
LABELS = np.array([0, 0, 1, 2, 0])
NAMES = ("worn", "incorrect", "without")


def test_mistakes_come_by_how_sure_they_are():
    mistakes = most_confident_mistakes(PROBABILITIES, LABELS)
    assert [m.position for m in mistakes] == [2, 1, 3]
    assert [(m.true, m.predicted) for m in mistakes] == [(1, 2), (0, 1), (2, 1)]
    assert [m.probability for m in mistakes] == pytest.approx([0.9, 0.7, 0.6])
    assert [m.of_true for m in mistakes] == pytest.approx([0.0, 0.2, 0.1])
    assert [m.position for m in most_confident_mistakes(PROBABILITIES, LABELS, 1)] == [2]


def test_no_mistakes_are_none():
    assert most_confident_mistakes(np.eye(3), np.arange(3)) == []


@pytest.mark.parametrize("size", [(64, 48), (48, 64), (400, 300), (8, 8)])
def test_each_mistake_shows_its_image(size):
    mistakes = most_confident_mistakes(PROBABILITIES, LABELS)
    colors = [(250, 0, 0), (0, 250, 0), (0, 0, 250)]
    images = [np.full((*size, 3), color, np.uint8) for color in colors]
    picture = draw_mistakes(images, mistakes, NAMES)
    columns = [np.nonzero((picture == color).all(axis=2))[1].mean() for color in colors]
    assert columns == sorted(columns)
    assert picture.shape[0] < 300

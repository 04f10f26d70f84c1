import numpy as np
import pytest

from trainable.pictures.confusion import MOST_CLASSES, draw_confusion, worst_classes

NAMES = ("worn", "incorrect", "without")


def colours_of(picture):
    return {tuple(color) for color in picture.reshape(-1, 3).tolist()}


def num_blue(picture):
    """Count pixels of the colour of all images of a class being right."""
    return int((picture == (25, 95, 165)).all(axis=2).sum())


def num_orange(picture):
    return int((picture == (200, 70, 20)).all(axis=2).sum())


def test_right_is_blue_and_wrong_is_orange():
    right = draw_confusion(np.diag([5, 3, 1]), NAMES, title="mask")
    wrong = draw_confusion(np.roll(np.diag([5, 3, 1]), 1, axis=1), NAMES, title="mask")
    assert right.dtype == np.uint8
    assert num_blue(right) > 3 * 1000
    assert num_orange(right) == 0
    assert num_orange(wrong) > 3 * 1000
    assert num_blue(wrong) == 0


def test_rows_are_true_classes_and_columns_predicted_ones():
    matrix = np.zeros((3, 3), int)
    matrix[0, 2] = 7
    rows, columns = np.nonzero(
        (draw_confusion(matrix, NAMES, title="mask") == (200, 70, 20)).all(axis=2)
    )
    picture = draw_confusion(matrix, NAMES, title="mask")
    assert rows.mean() < picture.shape[0] / 2 < picture.shape[1] < columns.mean() * 2


@pytest.mark.parametrize("num_classes", [1, 2, 18, MOST_CLASSES])
def test_a_picture_has_room_for_all_classes(num_classes):
    names = [f"class {i} of a name that goes on and on and on and on" for i in range(num_classes)]
    picture = draw_confusion(np.diag([20_000] * num_classes), names, title="label")
    assert picture.shape[0] < 2500
    assert num_blue(picture) > num_classes * 500


def test_of_many_classes_those_with_the_most_mistakes_are_drawn():
    matrix = np.diag(np.arange(100, 200))
    matrix[90, 3] = 5
    matrix[7, 8] = 2
    assert worst_classes(matrix, 4).tolist() == [3, 7, 8, 90]
    names = [str(i) for i in range(100)]
    picture = draw_confusion(matrix, names, title="label")
    assert (
        picture.shape == draw_confusion(np.zeros((40, 40), int), names[:40], title="label").shape
    )

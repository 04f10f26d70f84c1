import pytest

from trainable.objective import Objective


@pytest.mark.parametrize(
    ("metric", "mode"),
    [
        ("val/f1", "max"),
        ("val/loss", "min"),
        ("val/f1/age/old", "max"),
        ("val/f1/goal/weight_loss", "max"),
    ],
)
def test_only_the_loss_is_minimised(metric, mode):
    assert Objective(metric).mode == mode


def test_any_value_beats_none_and_equal_ones_do_not_beat_each_other():
    objective = Objective("val/loss")
    assert objective.is_better(9.0, than=None)
    assert not objective.is_better(9.0, than=9.0)
    assert objective.is_better(8.0, than=9.0)

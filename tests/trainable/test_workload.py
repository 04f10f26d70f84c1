"""What configurations have in common that take as much memory."""

import pytest

from trainable.workload import workload_of


@pytest.fixture
def workload(config):
    return lambda **changes: workload_of(config(**changes), num_classes=3)


@pytest.mark.parametrize(
    "changes",
    [
        {"backbone__name": "test_vit", "resize": "64x48"},
        {"head__name": "deep"},
        {"resize": "64x48"},
        {"batch_size": 32},
        {"precision": "bf16"},
        {"freeze__name": "all"},
        {"freeze__name": "front", "freeze__share": 0.5},
        {"optimizer__name": "sgd"},
        {"ema": 0.9},
    ],
)
def test_what_takes_memory_makes_another_workload(workload, changes):
    assert workload(**changes) != workload()


def test_what_takes_none_does_not(workload):
    assert workload(optimizer__lr=0.5, seed=3, epochs=9, loss__name="focal") == workload()


def test_melting_counts_as_melted_and_a_frozen_front_by_quarters(workload):
    assert workload(freeze__name="melt", freeze__share=0.5) == workload()
    front = [workload(freeze__name="front", freeze__share=share) for share in (0.5, 0.7, 0.8)]
    assert front[0] == front[1] != front[2]

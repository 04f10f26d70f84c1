"""The benchmark of a GPU, as far as a CPU goes: both loops train, and trials run side by side."""

import pytest
import torch

from benchmarks import gpu_packing
from benchmarks.gpu_epochs import Work, ceiling, ours, second_time, timms
from trainable.data.prepared import prepare_data

CPU = torch.device("cpu")
WORK = Work("test_efficientnet", (32, 32), 8, "fp32")


@pytest.fixture
def data(coloured_folder, tmp_path):
    return prepare_data(str(coloured_folder), cache_dir=tmp_path, seed=0)


def test_trial_timms_loop_and_ceiling_have_a_rate(data):
    rates = [
        ours(WORK, data, CPU, num_workers=0),
        timms(WORK, data, CPU, num_workers=0),
        ceiling(WORK, data.label_space.num_classes, CPU),
    ]
    assert all(rate > 0 for rate in rates)


def test_the_second_time_counts():
    calls = []
    assert second_time(lambda: calls.append(1), CPU) < 1
    assert len(calls) == 2


@pytest.mark.slow
def test_trials_at_a_time_are_counted_together(coloured_folder):
    table = gpu_packing.table(WORK, str(coloured_folder), at_a_time=(2,), seconds=1, device=CPU)
    assert table["trials"].tolist() == [2]
    assert table["images/s"].iloc[0] > 0
    assert table["busy"].isna().all()


@pytest.mark.slow
def test_a_trial_that_cannot_be_trained_ends_the_measurement(coloured_folder):
    impossible = Work("no_such_network", (32, 32), 8, "fp32")
    with pytest.raises(RuntimeError, match="1 trials at a time: one of them failed"):
        gpu_packing.table(impossible, str(coloured_folder), at_a_time=(1,), seconds=1, device=CPU)

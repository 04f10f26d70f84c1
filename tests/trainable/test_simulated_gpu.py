"""GPUs that there are not: what is counted, what is freed, what is too much."""

import copy

import pytest
import torch
from torch import nn

from trainable.errors import ConfigError
from trainable.gpu_memory import gpus_here
from trainable.in_parts import is_out_of_memory
from trainable.simulated_gpu import VARIABLE, SimulatedGpu

FLOAT = 4


@pytest.fixture
def gpu():
    gpu = SimulatedGpu(1_000_000)
    gpu.begin(1)
    return gpu


def test_views_share_memory_and_what_is_freed_counts_no_more(gpu):
    with gpu.watched():
        first = torch.zeros(100)
        view = first.view(10, 10)
        second = torch.ones(50)
        del first
        assert gpu.peak_bytes() == 150 * FLOAT
        del view, second
        gpu.begin(1)
        assert gpu.peak_bytes() == 0


def test_a_training_step_holds_weights_gradients_states_and_activations(gpu):
    with gpu.watched():
        model = nn.Linear(100, 10, bias=False)
        optimizer = torch.optim.AdamW(model.parameters(), foreach=False)
        model(torch.ones(5, 100)).sum().backward()
        optimizer.step()
        gpu.begin(1)
        # Weights, gradients, two moments and the count of steps; the batch is gone.
        assert gpu.peak_bytes() == 4 * 1000 * FLOAT + FLOAT


def test_deep_copies_count_and_networks_without_memory_do_not(gpu):
    with gpu.watched():
        model = nn.Linear(10, 10, bias=False)
        average = copy.deepcopy(model)
        assert gpu.peak_bytes() == 2 * 100 * FLOAT
        with torch.device("meta"):
            nn.Linear(1000, 1000)
        assert gpu.peak_bytes() == 2 * 100 * FLOAT
        assert average.weight is not model.weight


def test_more_than_the_share_runs_out_of_memory_and_leaves_the_rest_usable(gpu):
    gpu.begin(0.25)
    with gpu.watched():
        with pytest.raises(RuntimeError, match="600000 of 250000 bytes") as caught:
            torch.zeros(150_000)
        assert is_out_of_memory(caught.value)
        assert len(torch.zeros(60_000)) == 60_000


def test_a_variable_says_how_many_there_are(monkeypatch):
    monkeypatch.setenv(VARIABLE, "2x64MiB")
    assert [gpu.total_bytes for gpu in gpus_here()] == [64 * 2**20] * 2
    monkeypatch.setenv(VARIABLE, "1x2GiB")
    assert [gpu.total_bytes for gpu in gpus_here()] == [2 * 2**30]


@pytest.mark.parametrize("text", ["2", "0x64MiB", "2x64MB", "2x64MiBs"])
def test_a_variable_that_says_something_else_is_refused(monkeypatch, text):
    monkeypatch.setenv(VARIABLE, text)
    with pytest.raises(
        ConfigError, match=f"^{VARIABLE}: expected number x memory, .*got '{text}'"
    ):
        gpus_here()

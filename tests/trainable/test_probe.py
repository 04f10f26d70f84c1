"""A probe finds the memory of a real epoch, and leaves nothing of itself."""

import pytest

from trainable.gpu_memory import HEAD_ROOM
from trainable.probe import probe
from trainable.simulated_gpu import SimulatedGpu
from trainable.trial import Machine, Trial

BYTES = 2**30


def probed(config, data, *, share=1.0):
    gpu = SimulatedGpu(BYTES)
    with gpu.watched():
        return probe(config, data, gpu, machine=Machine(), share=share)


@pytest.mark.parametrize(
    "changes",
    [{}, {"ema": 0.9}, {"freeze__name": "melt", "freeze__share": 0.9, "head__name": "shallow"}],
)
def test_what_it_finds_is_the_peak_of_a_real_trial(config, coloured, tmp_path, changes):
    found = probed(config(**changes), coloured)
    gpu = SimulatedGpu(BYTES)
    gpu.begin(1)
    with gpu.watched():
        real = {k: v for k, v in changes.items() if "freeze" not in k}
        trial = Trial(config(**real), coloured, tmp_path)
        trial.run_epoch()
    trial.close()
    assert found.needed_bytes == pytest.approx(HEAD_ROOM * gpu.peak_bytes(), rel=0.02)
    assert found.train_images_per_s > 0
    assert not found.is_estimate


def test_a_batch_that_does_not_fit_is_estimated_from_half_of_it(config, coloured):
    whole = probed(config(), coloured).needed_bytes
    share = 0.8 * whole / HEAD_ROOM / BYTES
    estimated = probed(config(), coloured, share=share)
    assert estimated.is_estimate
    assert whole < estimated.needed_bytes < 2 * whole
    assert estimated.workload == probed(config(), coloured).workload


def test_a_network_that_does_not_fit_at_all_needs_a_whole_gpu(config, coloured):
    found = probed(config(), coloured, share=1000 / BYTES)
    assert (found.needed_bytes, found.is_estimate) == (BYTES, True)


def test_a_learning_rate_that_ruins_a_trial_does_not_ruin_its_probe(config, coloured):
    assert probed(config(optimizer__name="sgd", optimizer__lr=10.0), coloured) is not None

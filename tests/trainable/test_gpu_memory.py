"""The memory of a real GPU."""

import pytest
import torch

from trainable.gpu_memory import CONTEXT_BYTES, CudaGpu, needed_bytes
from trainable.in_parts import is_out_of_memory
from trainable.probe import probe
from trainable.trial import Machine

MIB = 2**20


@pytest.fixture
def gpu():
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")
    gpu = CudaGpu()
    yield gpu
    gpu.begin(1)


@pytest.mark.gpu
def test_a_process_takes_its_share_and_no_more(gpu):
    share = (CONTEXT_BYTES + 256 * MIB) / gpu.total_bytes
    gpu.begin(share)
    kept = torch.zeros(128 * MIB, dtype=torch.uint8, device=gpu.device)
    assert gpu.peak_bytes() == 128 * MIB
    with pytest.raises(RuntimeError) as caught:
        torch.zeros(200 * MIB, dtype=torch.uint8, device=gpu.device)
    assert is_out_of_memory(caught.value)
    del kept
    gpu.begin(1)
    assert len(torch.zeros(512 * MIB, dtype=torch.uint8, device=gpu.device)) == 512 * MIB


@pytest.mark.gpu
def test_a_probe_measures_what_larger_batches_need(gpu, config, coloured):
    machine = Machine(gpu.device)
    small, large = (
        probe(config(batch_size=size, resize="128x96"), coloured, gpu, machine=machine, share=1)
        for size in (4, 16)
    )
    assert CONTEXT_BYTES < small.needed_bytes < large.needed_bytes < gpu.total_bytes
    assert needed_bytes(gpu, 0) == CONTEXT_BYTES

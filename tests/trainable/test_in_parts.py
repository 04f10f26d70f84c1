"""Batches that do not fit into memory: the same gradients in parts, under real limits too."""

import os
import re
import subprocess
import sys
import weakref
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from trainable.checkpoint import load_last
from trainable.errors import TrialError
from trainable.evaluate import predict_probabilities
from trainable.in_parts import InParts, is_out_of_memory, smallest_part
from trainable.trial import Machine, Trial

CPU = torch.device("cpu")
ADDITIVE = ["cross_entropy", "focal", "label_smoothing", "focal_label_smoothing"]


def run_out(message="CUDA out of memory. Tried to allocate 2.00 GiB."):
    raise torch.OutOfMemoryError(message)


def only_in(num_parts_needed, calls, num_parts):
    calls.append(num_parts)
    return num_parts if num_parts >= num_parts_needed else run_out()


def test_as_long_as_memory_suffices_there_is_one_part():
    calls = []
    parts = InParts()
    assert parts.fitted(partial(only_in, 1, calls), num_images=8, device=CPU) == 1
    assert calls == [1]


def test_parts_are_doubled_until_they_fit_and_stay_so():
    calls, starts = [], []
    parts = InParts()
    arguments = {"num_images": 8, "device": CPU, "start_over": lambda: starts.append(len(calls))}
    assert parts.fitted(partial(only_in, 3, calls), **arguments) == 4
    parts.fitted(partial(only_in, 3, calls), **arguments)
    assert calls == [1, 2, 4, 4]
    assert starts == [1, 2]


def test_a_single_image_that_does_not_fit_fails_the_trial_with_the_reason():
    with pytest.raises(TrialError, match=r"memory for 1 of 8 images, got 'CUDA out of memory\. T"):
        InParts().fitted(partial(only_in, 99, []), num_images=8, device=CPU)


def test_parts_keep_the_images_that_batch_norm_compares():
    calls = []
    with pytest.raises(TrialError, match="memory for 3 of 9 images"):
        InParts(smallest=2).fitted(partial(only_in, 99, calls), num_images=9, device=CPU)
    assert calls == [1, 2, 4]
    assert smallest_part(nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3))) == 2
    assert smallest_part(nn.Sequential(nn.Conv2d(3, 3, 1), nn.LayerNorm(3))) == 1


def test_what_the_failed_work_held_is_free_before_it_starts_over():
    held = []

    def work(num_parts):
        tensor = torch.zeros(10)
        held.append(weakref.ref(tensor))
        return num_parts if num_parts == 2 else run_out()

    InParts().fitted(
        work, num_images=8, device=CPU, start_over=lambda: held.append(held[0]() is None)
    )
    assert held[1] is True


def test_other_errors_are_not_taken_for_a_lack_of_memory():
    def work(num_parts):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        InParts().fitted(work, num_images=8, device=CPU)


@pytest.mark.parametrize(
    "message",
    [
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
        "GET was unable to find an engine to execute this computation",
        "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory",
    ],
)
def test_the_ways_of_libraries_to_say_so_are_known(message):
    assert is_out_of_memory(RuntimeError(message))
    assert not is_out_of_memory(ValueError(message))


@pytest.fixture
def gradients(coloured, config, tmp_path):
    """Return a function that gives the loss and gradients of one batch in so many parts."""

    def compute(num_parts, **changes):
        changes = {"backbone__name": "test_vit", "resize": "64x48", "batch_size": 17} | changes
        trial = Trial(config(**changes), coloured, tmp_path / str(num_parts))
        torch.manual_seed(0)
        trial._model.train()
        images, targets = next(trial._loop._mixed_batches(0))
        losses = trial._loop._gradients(images, targets, num_parts)
        assert len(losses) == num_parts
        mean = sum(float(loss) * share for loss, share in losses)
        return mean, [p.grad.clone() for p in trial._model.parameters() if p.grad is not None]

    return compute


@pytest.mark.parametrize("loss", ADDITIVE)
def test_gradients_in_parts_are_those_of_the_whole_batch(gradients, loss):
    changes = {"loss__name": loss, "cutmix__name": "cutmix", "cutmix__probability": 1.0}
    whole_loss, whole = gradients(1, **changes)
    for num_parts in (2, 4):
        in_parts_loss, in_parts = gradients(num_parts, **changes)
        assert in_parts_loss == pytest.approx(whole_loss, abs=1e-6)
        for a, b in zip(whole, in_parts, strict=True):
            torch.testing.assert_close(a, b, atol=1e-6, rtol=1e-4)


def test_the_soft_f1_counts_within_each_part(gradients):
    whole, in_parts = (gradients(n, loss__name="f1")[0] for n in (1, 4))
    assert abs(whole - in_parts) > 1e-3


def fail_above(module, num_images):
    """Have a module run out of memory for more images than these."""

    def check(module, inputs):
        if len(inputs[0]) > num_images:
            run_out()

    module.register_forward_pre_hook(check)


def test_a_trial_goes_on_in_parts_and_says_so(coloured, config, tmp_path):
    trial = Trial(config(), coloured, tmp_path)
    fail_above(trial._model, 4)
    rows = [trial.run_epoch() for _ in range(2)]
    trial.close()
    assert [row["num_micro_batches"] for row in rows] == [4, 4]
    again = Trial(config(), coloured, tmp_path)
    assert again._loop.parts.num_parts == 4
    again.close()


def test_where_memory_ran_out_does_not_change_the_bits(coloured, config, tmp_path):
    def trained(name, layer):
        trial = Trial(config(head__name="shallow", head__dropout=0.3), coloured, tmp_path / name)
        fail_above(layer(trial._model), 8)
        # Running statistics take in what came before the lack of memory; the weights do not.
        for module in trial._model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = 0.0
        trial.run_epoch()
        trial.close()
        return load_last(tmp_path / name / "checkpoint").model

    early = trained("early", lambda model: model.backbone)
    late = trained("late", lambda model: list(model.head.modules())[-1])
    numbers = [name for name in early if not name.endswith("num_batches_tracked")]
    assert all(torch.equal(early[name], late[name]) for name in numbers)


def test_evaluation_goes_on_in_parts(coloured, config, tmp_path):
    trial = Trial(config(), coloured, tmp_path)
    rows, images = coloured.rows("train")[:23], coloured.images((32, 24))
    arguments = {"device": CPU, "batch_size": 20}
    whole = predict_probabilities(trial._model, images, rows, **arguments)
    fail_above(trial._model, 3)
    in_parts = predict_probabilities(trial._model, images, rows, **arguments)
    trial.close()
    np.testing.assert_allclose(in_parts.numpy(), whole.numpy(), atol=1e-6)


UNDER_A_LIMIT = """
import resource, sys
from pathlib import Path
import torch
from trainable.config import parse_config
from trainable.data.prepared import prepare_data
from trainable.errors import TrialError
from trainable.in_parts import out_of_memory
from trainable.trial import Trial

def leave(spare_mib):
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + spare_mib * 2**20, -1))

torch.set_num_threads(1)
torch.backends.mkldnn.set_flags(False)  # its compiler has no way to go on once memory ran out
folder = Path(sys.argv[2])
data = prepare_data(sys.argv[1], cache_dir=folder / "cache", seed=0)
config = {"backbone/name": "test_vit", "resize": "128x96", "optimizer/name": "adamw",
          "optimizer/lr": 0.01, "batch_size": 48, "epochs": 3}
trial = Trial(parse_config(config), data, folder / "trial")
leave(50)
print(trial.run_epoch()["num_micro_batches"])
print(trial.run_epoch()["num_micro_batches"])
leave(0)
try:
    trial.run_epoch()
except TrialError as error:
    print(error)
except MemoryError as error:  # before the first network was asked
    print(out_of_memory(error))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of memory is Linux's")
def test_with_little_real_memory_a_trial_goes_on_in_parts_and_with_none_it_fails(
    coloured_folder, tmp_path
):
    # What is freed goes back to the system, so that the limit is one of what is used.
    malloc = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_ARENA_MAX": "1"}
    done = subprocess.run(
        [sys.executable, "-c", UNDER_A_LIMIT, coloured_folder, tmp_path],
        env=os.environ | malloc,
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    first, second, reason = done.stdout.splitlines()
    assert int(second) >= int(first) > 1
    assert reason.startswith("memory: expected memory for ")
    assert re.search("can't allocate memory|Unable to allocate", reason)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_trial_that_runs_out_of_gpu_memory_goes_on_in_parts(coloured, config, tmp_path):
    device = torch.device("cuda")
    wanted = config(resize="256x192", batch_size=48)
    trial = Trial(wanted, coloured, tmp_path, machine=Machine(device))
    used = torch.cuda.memory_reserved(device) + 300 * 2**20
    total = torch.cuda.get_device_properties(device).total_memory
    torch.cuda.set_per_process_memory_fraction(used / total, device)
    try:
        assert trial.run_epoch()["num_micro_batches"] > 1
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0, device)

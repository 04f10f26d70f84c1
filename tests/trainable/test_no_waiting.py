"""Within an epoch of training, the host reads no number from the device."""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from trainable.trial import Machine, Trial

# By these, a tensor becomes a number of the host, or its size depends on its numbers.
WAITS = (torch.ops.aten._local_scalar_dense.default, torch.ops.aten.nonzero.default)
EVERYTHING = {
    "cutmix__name": "cutmix",
    "cutmix__probability": 1.0,
    "ema": 0.8,
    "gradient_clip": 1.0,
    "head__name": "shallow",
    "head__dropout": 0.3,
    "schedule__name": "cosine",
    "sampler__name": "imbalanced",
}


class Watch(TorchDispatchMode):
    """Counts what a host would wait for."""

    num_waits = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.num_waits += function in WAITS
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        EVERYTHING,
        {"precision": "bf16", "loss__name": "f1"},
        {"precision": "fp16", "loss__name": "focal"},
        {"precision": "fp16", "gradient_clip": 1.0, "loss__name": "focal_label_smoothing"},
        {"freeze__name": "all"},
    ],
    ids=str,
)
def test_an_epoch_reads_its_loss_at_its_end_and_nothing_before(
    coloured, config, tmp_path, changes, optimizer
):
    machine = Machine(keeps_images=True)
    trial = Trial(
        config(**changes, optimizer__name=optimizer), coloured, tmp_path, machine=machine
    )
    trial.run_epoch()
    with Watch() as watch:
        trial._train()
    trial.close()
    at_the_end = 2 if changes.get("precision") == "fp16" else 1  # the scale and the loss
    assert watch.num_waits == at_the_end


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw", "adamp", "nadam"])
@pytest.mark.parametrize("changes", [{}, EVERYTHING, {"precision": "bf16"}], ids=str)
def test_a_gpu_is_not_waited_for_within_an_epoch(coloured, config, tmp_path, changes, optimizer):
    machine = Machine(torch.device("cuda"), keeps_images=True)
    trial = Trial(
        config(**changes, optimizer__name=optimizer), coloured, tmp_path, machine=machine
    )
    trial.run_epoch()
    batches = iter(trial._loop._mixed_batches(1))
    images, targets = next(batches)
    torch.cuda.set_sync_debug_mode("error")
    try:
        for images, targets in batches:
            trial._loop._gradients(images, targets, 1)
            trial._loop.precision.step(trial._loop.optimizer, trial._model, 1.0)
    finally:
        torch.cuda.set_sync_debug_mode("default")
        trial.close()

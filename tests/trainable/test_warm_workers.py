"""A trial in a process that has trained others gives the bits that it gives in a new process."""

import gc
import json
import multiprocessing
import os
import random
import subprocess
import sys

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from trainable.checkpoint import load_last
from trainable.ray_trainable import TrainTrial
from trainable.trial import Machine, Trial
from trainable.trial_folder import TrialFolder

SMALL = {"batch_size": 16}
# Whose bits are compared: it draws from all streams there are.
WATCHED = SMALL | {
    "head/name": "shallow",
    "head/dropout": 0.3,
    "augmentation/name": "noise",
    "cutmix/name": "cutmix",
    "sampler/name": "imbalanced",
    "freeze/name": "melt",
    "freeze/share": 0.5,
    "ema": 0.8,
    "gradient_clip": 1.0,
    "seed": 7,
}
# What the worker has trained before, each of another kind than the one that is watched.
OTHERS = {
    "another backbone": {"backbone/name": "test_vit", "resize": "32x32"},
    "bf16": {"precision": "bf16"},
    "fp16": {"precision": "fp16"},
    "an average of weights and features kept": {"ema": 0.5, "freeze/name": "all"},
    "deterministic kernels": {"deterministic": True, "augmentation/name": "base"},
}


def train(worker):
    results = [worker.train()]
    while not results[-1]["done"]:
        results.append(worker.train())
    return results


ALONE = """
import json, sys
from trainable.ray_trainable import TrainTrial
worker = TrainTrial(json.loads(sys.argv[1]))
while not worker.train()["done"]:
    pass
worker.stop()
"""


def bits_of(run_folder, number):
    folder = TrialFolder.of(run_folder, number)
    with np.load(folder.probabilities) as recorded:
        probabilities = {"probabilities": torch.from_numpy(recorded["probs"])}
    return load_last(folder.checkpoint).model | load_file(folder.best_weights) | probabilities


@pytest.fixture
def alone(message, run_folder):
    """Return the bits of the watched trial in a process of its own."""
    command = [sys.executable, "-c", ALONE, json.dumps(message(0, **WATCHED))]
    subprocess.run(command, check=True, env=os.environ | {"OMP_NUM_THREADS": "1"}, timeout=300)
    return bits_of(run_folder, 0)


def states():
    """Return the states of a process that a trial could leave changed for the next one."""
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    return {
        "kernels": (cudnn.benchmark, cudnn.deterministic, cudnn.allow_tf32, matmul.allow_tf32),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "autocast": (torch.is_autocast_enabled("cpu"), torch.is_autocast_enabled("cuda")),
        "gradients": (torch.is_grad_enabled(), torch.is_inference_mode_enabled()),
        "threads": torch.get_num_threads(),
        "type": torch.get_default_dtype(),
        "hooks": len(torch.nn.modules.module._global_forward_hooks),
        "python": random.getstate(),
        "numpy": np.random.get_state()[1].tolist(),  # noqa: NPY002 - the state that must not move
    }


def assert_same(bits, others):
    assert bits.keys() == others.keys()
    assert [name for name in bits if not torch.equal(bits[name], others[name])] == []


def train_without_numbers(worker):
    """Return the result of a trial whose loss is no number."""
    for parameter in worker._open()._model.parameters():
        parameter.data.fill_(float("inf"))
    return worker.train()


def fail_in_the_middle(monkeypatch, error, *, at_step):
    """Have the optimizer's steps end in an error once."""
    steps = []
    step = torch.optim.AdamW.step

    def failing(optimizer, closure=None):
        steps.append(1)
        if len(steps) == at_step:
            raise error
        return step(optimizer, closure)

    monkeypatch.setattr(torch.optim.AdamW, "step", failing)


def test_whatever_a_worker_has_trained_before_the_bits_are_those_of_a_new_process(
    message, run_folder, alone, monkeypatch
):
    worker = TrainTrial(message(1, **SMALL))
    train(worker)
    before = states()
    for number, (name, changes) in enumerate(OTHERS.items(), start=2):
        worker.reset(message(number, **SMALL | changes))
        assert train(worker)[-1]["failed"] == "", name
        assert states() == before, name
    worker.reset(message(80, **WATCHED))
    assert "train/loss" in train_without_numbers(worker)["failed"]
    assert states() == before
    worker.reset(message(90, **WATCHED))
    with monkeypatch.context() as patch:
        fail_in_the_middle(patch, torch.OutOfMemoryError("CUDA out of memory."), at_step=3)
        assert "memory" in train(worker)[-1]["failed"]
    worker.reset(message(91, **WATCHED))
    with monkeypatch.context() as patch:
        fail_in_the_middle(patch, RuntimeError("a bug"), at_step=2)
        with pytest.raises(RuntimeError, match="a bug"):
            worker.train()
    assert states() == before
    worker.reset(message(92, **WATCHED))
    train(worker)
    worker.stop()
    assert_same(bits_of(run_folder, 92), alone)


def test_a_closed_trial_leaves_no_tensors(message):
    def num_tensors():
        gc.collect()
        return sum(issubclass(type(thing), torch.Tensor) for thing in gc.get_objects())

    worker = TrainTrial(message(0, **SMALL))
    train(worker)
    worker.reset(message(1, **SMALL))
    before = num_tensors()
    train(worker)
    assert num_tensors() > before
    worker.reset(message(2, **SMALL))
    assert num_tensors() == before
    worker.stop()


def test_a_closed_trial_leaves_no_loader_processes(coloured, config, tmp_path):
    trial = Trial(config(), coloured, tmp_path, machine=Machine(num_workers=2))
    trial.run_epoch()
    assert len(multiprocessing.active_children()) == 2
    trial.close()
    assert multiprocessing.active_children() == []


def test_a_worker_ends_after_a_trial_that_failed_in_training(message):
    worker = TrainTrial(message(0, **SMALL))
    assert [result["recycle"] for result in train(worker)] == [False, False]
    worker.reset(message(1, **SMALL))
    result = train_without_numbers(worker)
    assert result["recycle"]
    assert result["failed"]
    worker.stop()


def test_a_worker_stays_after_a_configuration_that_was_refused(message):
    worker = TrainTrial(message(0, **SMALL | {"label_shift": 58}))
    result = train(worker)[-1]
    assert result["failed"]
    assert not result["recycle"]
    worker.stop()


def test_a_worker_that_has_grown_ends_with_its_next_trial(message, monkeypatch, written_memory):
    monkeypatch.setattr("trainable.ray_trainable.MEMORY_GROWTH", 32 * 2**20)
    worker = TrainTrial(message(0, **SMALL))
    train(worker)
    worker.reset(message(1, **SMALL))
    assert not train(worker)[-1]["recycle"]
    leak = written_memory(64 * 2**20)
    worker.reset(message(2, **SMALL))
    assert train(worker)[-1]["recycle"]
    leak.close()
    worker.stop()

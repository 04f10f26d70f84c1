"""Candidates to choose from: random votes, and runs of trained trials."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from analysis.ensemble.ballot import Ballot
from analysis.estimates.labelled import Labelled
from analysis.estimates.stack import Stack
from analysis.member import load_member
from analysis.run_folder import RunFolder
from trainable.data.index import LabelSpace

NUM_CLASSES = 4


@pytest.fixture
def make_ballot() -> Callable[..., Ballot]:
    """Return a function that makes a ballot of candidates that are right more often than not."""

    def make(*, num_candidates=8, num_people=15, metric="f1", seed=0, costs_ms=(), skill=1.0):
        rng = np.random.default_rng(seed)
        labels = rng.integers(0, NUM_CLASSES, 4 * num_people)
        shape = (num_candidates, len(labels), NUM_CLASSES)
        logits = rng.normal(0, 1, shape) + rng.normal(0, 0.7, shape[1:])
        logits[:, np.arange(len(labels)), labels] += skill * rng.uniform(
            0.5, 1.5, (num_candidates, 1)
        )
        odds = np.exp(logits)
        votes = (odds / odds.sum(axis=2, keepdims=True)).astype(np.float32)
        labels_of = LabelSpace(tuple("abcd"))
        images = Labelled(labels, np.repeat(np.arange(num_people), 4), {}, labels_of)
        backbones = tuple(f"net{number % 3}" for number in range(num_candidates))
        return Ballot(Stack.of(votes), images, metric, backbones, tuple(costs_ms))

    return make


@pytest.fixture
def copy(trained_run, tmp_path) -> Path:
    """Return a copy of the trained run that a test may change."""
    return shutil.copytree(trained_run, tmp_path / "copy")


@pytest.fixture
def fine_tuned_run(copy, coloured_data) -> Path:
    """Return a run whose first two trials lie on two sides of a better network."""
    run = RunFolder(copy)
    config = json.loads(run.trial_folder(0).config.read_text())
    config["backbone"]["pretrained"] = "small"
    weights = load_file(run.trial_folder(0).best_weights)
    for number, side in enumerate((1, -1)):
        folder = run.trial_folder(number)
        folder.config.write_text(json.dumps(config | {"seed": number}))
        generator = torch.Generator().manual_seed(0)
        noisy = {
            name: tensor + side * tensor.std() * torch.randn(tensor.shape, generator=generator)
            if name.endswith("weight") and tensor.ndim > 1
            else tensor
            for name, tensor in weights.items()
        }
        save_file(noisy, folder.best_weights)
        files = (folder.config, folder.best_weights)
        member = load_member(*files, coloured_data.label_space, torch.device("cpu"))
        rows = coloured_data.rows("val")
        probabilities = member.probabilities(coloured_data.images((32, 24)), rows)
        folder.write_probabilities(probabilities, rows, epoch=1)
    return copy

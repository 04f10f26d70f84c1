import dataclasses
import json
from itertools import product

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from trainable.checkpoint import load_last, load_weights
from trainable.errors import ConfigError, TrialError
from trainable.evaluate import predict_probabilities
from trainable.model import build_classifier
from trainable.objective import Objective
from trainable.trial import Machine, Trial
from trainable.trial_folder import TrialFolder

EVERYTHING = {
    "optimizer__name": "adamp",
    "schedule__name": "cosine",
    "augmentation__name": "noise",
    "cutmix__name": "cutmix",
    "sampler__name": "imbalanced",
    "freeze__name": "melt",
    "head__name": "shallow",
    "head__dropout": 0.3,
    "ema": 0.8,
    "gradient_clip": 1.0,
}


def trained(config, data, folder, *, num_epochs, **arguments):
    trial = Trial(config, data, folder, **arguments)
    for _ in range(num_epochs):
        trial.run_epoch()
    trial.close()


def tensors_of(folder):
    checkpoint = load_last(folder / "checkpoint")
    return checkpoint.model, checkpoint.state, load_file(TrialFolder(folder).best_weights)


def assert_same(a, b):
    if isinstance(a, torch.Tensor):
        assert torch.equal(a, b)
    elif isinstance(a, dict):
        assert a.keys() == b.keys()
        for key in a:
            assert_same(a[key], b[key])
    elif isinstance(a, list):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            assert_same(x, y)
    else:
        assert a == b


@pytest.mark.parametrize(
    "changes",
    [
        {},
        EVERYTHING,
        {"optimizer__name": "sgd", "schedule__name": "plateau", "augmentation__name": "base"},
        {"optimizer__name": "nadam", "freeze__name": "melt", "freeze__after": "plateau"},
        {"freeze__name": "all", "ema": 0.8},
    ],
)
def test_an_interrupted_trial_ends_with_the_same_bits_as_a_straight_one(
    coloured, config, tmp_path, changes
):
    trained(config(**changes), coloured, tmp_path / "straight", num_epochs=4)
    trained(config(**changes), coloured, tmp_path / "cut", num_epochs=2)
    trained(config(**changes), coloured, tmp_path / "cut", num_epochs=2)
    straight, cut = tensors_of(tmp_path / "straight"), tensors_of(tmp_path / "cut")
    for state in (straight[1], cut[1]):
        for row, timed in product(state["rows"], ("seconds", "images_per_s")):
            row.pop(timed)
        state["progress"].pop("seconds")
    assert_same(list(straight), list(cut))
    columns = ["epoch", "lr", "train/loss", "val/f1", "val/loss"]
    straight_rows = pd.read_csv(tmp_path / "straight" / "metrics.csv")[columns]
    pd.testing.assert_frame_equal(
        straight_rows, pd.read_csv(tmp_path / "cut" / "metrics.csv")[columns]
    )


def test_a_trial_after_another_one_gives_the_same_bits_as_alone(coloured, config, tmp_path):
    trained(config(**EVERYTHING), coloured, tmp_path / "alone", num_epochs=2)
    trained(config(seed=5), coloured, tmp_path / "other", num_epochs=2)
    trained(config(**EVERYTHING), coloured, tmp_path / "after", num_epochs=2)
    assert_same(tensors_of(tmp_path / "alone")[0], tensors_of(tmp_path / "after")[0])


def test_loader_workers_do_not_change_the_bits(coloured, config, tmp_path):
    changes = {"augmentation__name": "noise", "cutmix__name": "cutmix"}
    trained(config(**changes), coloured, tmp_path / "here", num_epochs=2)
    machine = Machine(num_workers=2)
    trained(config(**changes), coloured, tmp_path / "there", num_epochs=2, machine=machine)
    assert_same(tensors_of(tmp_path / "here")[0], tensors_of(tmp_path / "there")[0])


@pytest.mark.parametrize(
    "changes", [{}, {"cutmix__name": "cutmix"}, {"augmentation__name": "base"}]
)
def test_images_kept_on_the_device_do_not_change_the_bits(coloured, config, tmp_path, changes):
    for keeps_images in (True, False):
        machine = Machine(keeps_images=keeps_images)
        folder = tmp_path / str(keeps_images)
        trained(config(**changes), coloured, folder, num_epochs=2, machine=machine)
    assert_same(tensors_of(tmp_path / "True")[0], tensors_of(tmp_path / "False")[0])


def test_another_seed_gives_other_weights(coloured, config, tmp_path):
    trained(config(seed=1), coloured, tmp_path / "a", num_epochs=1)
    trained(config(seed=2), coloured, tmp_path / "b", num_epochs=1)
    a, b = tensors_of(tmp_path / "a")[0], tensors_of(tmp_path / "b")[0]
    head = next(name for name in a if name.startswith("head") and name.endswith("weight"))
    assert not torch.equal(a[head], b[head])


def test_a_trial_learns_and_the_folder_says_so(coloured, config, tmp_path):
    trained(config(epochs=5), coloured, tmp_path, num_epochs=5)
    curve = pd.read_csv(tmp_path / "metrics.csv")
    assert curve["epoch"].tolist() == [1, 2, 3, 4, 5]
    assert curve["val/f1"].max() > 0.8
    assert curve["images_per_s"].gt(0).all()
    assert json.loads((tmp_path / "config.json").read_text())["resize"] == [32, 24]
    assert any(tmp_path.glob("events.out.tfevents.*"))


@pytest.mark.parametrize("changes", [{}, {"ema": 0.5}])
def test_best_weights_reproduce_the_recorded_probabilities(coloured, config, tmp_path, changes):
    configuration = config(**changes)
    trained(configuration, coloured, tmp_path, num_epochs=3)
    recorded = np.load(tmp_path / "val_probs.npz")
    model = build_classifier(configuration, coloured.label_space, load_pretrained=False)
    model.load_state_dict(load_weights(TrialFolder(tmp_path).best_weights))
    probabilities = predict_probabilities(
        model,
        coloured.images((32, 24)),
        recorded["rows"],
        batch_size=7,
        device=torch.device("cpu"),
    )
    np.testing.assert_allclose(probabilities.numpy(), recorded["probs"], atol=1e-5)
    best = pd.read_csv(tmp_path / "metrics.csv")["val/f1"].idxmax() + 1
    assert recorded["epoch"] == best
    assert recorded["rows"].tolist() == coloured.rows("val").tolist()


def test_the_best_epoch_is_that_of_the_objective(coloured, config, tmp_path):
    objective = Objective("val/loss")
    trained(config(), coloured, tmp_path, num_epochs=4, objective=objective)
    best = pd.read_csv(tmp_path / "metrics.csv")["val/loss"].idxmin() + 1
    assert np.load(tmp_path / "val_probs.npz")["epoch"] == best


def test_patience_ends_a_trial_that_no_longer_gets_better(coloured, config, tmp_path):
    frozen = config(optimizer__lr=1e-9, patience=2, epochs=20, freeze__name="all")
    trial = Trial(frozen, coloured, tmp_path)
    while not trial.finished:
        trial.run_epoch()
    assert trial.finished == "patience"
    assert trial.progress.epoch < 20
    assert trial.progress.epoch - trial.progress.best_epoch == 2


def test_a_loss_that_is_no_number_fails_the_trial(coloured, config, tmp_path):
    explosive = config(optimizer__name="sgd", optimizer__lr=10, optimizer__momentum=0.99)
    trial = Trial(explosive, coloured, tmp_path)
    for parameter in trial._model.parameters():
        parameter.data.fill_(float("inf"))
    with pytest.raises(TrialError, match=r"train/loss: expected a finite number, got nan"):
        trial.run_epoch()
    assert not (tmp_path / "metrics.csv").exists()


def poison_gradients(trial, *, from_call=0):
    """Have a weight's gradients be no numbers, though the loss is one."""
    calls = []

    def poisoned(gradient):
        calls.append(1)
        return gradient * float("nan") if len(calls) > from_call else gradient

    next(trial._model.head.parameters()).register_hook(poisoned)


def train_to_the_end(trial):
    while not trial.finished:
        trial.run_epoch()


@pytest.mark.parametrize("gradient_clip", [None, 1.0])
def test_gradients_that_are_no_numbers_fail_the_trial(coloured, config, tmp_path, gradient_clip):
    trial = Trial(config(gradient_clip=gradient_clip), coloured, tmp_path)
    last = len(trial._loop.batches) - 1
    poison_gradients(trial, from_call=last)  # so that no loss of the epoch tells
    with pytest.raises(TrialError, match="val_probs: expected finite probabilities"):
        trial.run_epoch()
    assert not (tmp_path / "checkpoint").exists()


def test_in_half_precision_gradients_that_are_never_numbers_fail_the_trial(
    coloured, config, tmp_path
):
    trial = Trial(config(precision="fp16", epochs=20), coloured, tmp_path)
    poison_gradients(trial)
    with pytest.raises(TrialError, match=r"gradients: expected finite numbers, .* scale of 0\.\d"):
        train_to_the_end(trial)
    weights = trial._model.state_dict().values()
    assert all(weight.isfinite().all() for weight in weights)


def test_a_metric_that_is_not_recorded_fails_the_trial(coloured, config, tmp_path):
    trial = Trial(config(), coloured, tmp_path, objective=Objective("val/f1/age"))
    with pytest.raises(TrialError, match=r"val/f1/age: expected a finite number, got None"):
        trial.run_epoch()


def test_label_shift_needs_ages(coloured, config, tmp_path):
    with pytest.raises(ConfigError, match=r"label_shift: expected data with a column 'years'"):
        Trial(config(label_shift=58), coloured, tmp_path)


@pytest.mark.parametrize("changes", [{}, {"ema": 0.5}, {"freeze__name": "all"}])
def test_what_a_kill_after_the_checkpoint_leaves_out_is_made_again(
    coloured, config, tmp_path, changes
):
    trained(config(**changes), coloured, tmp_path, num_epochs=1)
    folder = TrialFolder(tmp_path)
    weights = load_file(folder.best_weights)
    probabilities = np.load(folder.probabilities)["probs"]
    for path in (folder.best_weights, folder.metrics, folder.probabilities):
        path.unlink()
    trained(config(**changes), coloured, tmp_path, num_epochs=0)
    assert_same(load_file(folder.best_weights), weights)
    np.testing.assert_array_equal(np.load(folder.probabilities)["probs"], probabilities)
    assert len(pd.read_csv(folder.metrics)) == 1


def test_a_kill_before_the_checkpoint_trains_the_epoch_again(coloured, config, tmp_path):
    trained(config(), coloured, tmp_path / "straight", num_epochs=3)
    trained(config(), coloured, tmp_path / "cut", num_epochs=2)
    interrupted = Trial(config(), coloured, tmp_path / "cut")
    interrupted._train()  # and then it is killed
    trained(config(), coloured, tmp_path / "cut", num_epochs=1)
    assert_same(tensors_of(tmp_path / "straight")[0], tensors_of(tmp_path / "cut")[0])
    assert len(pd.read_csv(tmp_path / "cut" / "metrics.csv")) == 3


def test_a_network_without_numbers_is_no_score(coloured, config, tmp_path):
    trial = Trial(config(optimizer__lr=1e-9), coloured, tmp_path)
    trial._model.head.register_forward_hook(
        lambda module, inputs, logits: logits if module.training else logits * float("nan")
    )
    with pytest.raises(TrialError, match="val_probs: expected finite probabilities"):
        trial.run_epoch()
    assert not (tmp_path / "metrics.csv").exists()


def test_an_average_of_weights_follows_them_from_the_first_epoch_on(coloured, config, tmp_path):
    trained(config(epochs=3), coloured, tmp_path / "plain", num_epochs=3)
    trained(config(epochs=3, ema=0.999), coloured, tmp_path / "ema", num_epochs=3)
    plain, ema = (pd.read_csv(tmp_path / n / "metrics.csv")["val/f1"] for n in ("plain", "ema"))
    assert ema.max() > plain.max() - 0.15


def test_groups_that_the_class_does_not_determine_are_scored(coloured, config, tmp_path):
    from trainable.data.index import Attribute

    index = coloured.index
    table = index.table.assign(camera=["old", "new"] * (len(index) // 2))
    index = dataclasses.replace(
        index, table=table, attributes={"camera": Attribute(("new", "old"))}
    )
    data = dataclasses.replace(coloured, index=index)
    row = Trial(config(), data, tmp_path).run_epoch()
    assert {"val/f1/camera", "val/f1/camera/new", "val/f1/camera/old"} <= row.keys()


@pytest.mark.slow
def test_a_compiled_network_learns_and_leaves_weights_that_need_no_compiler(
    coloured, config, tmp_path
):
    changes = {"compile": True, "backbone__name": "test_vit", "resize": "32x32"}
    trained(config(**changes), coloured, tmp_path / "compiled", num_epochs=1)
    trained(config(**changes | {"compile": False}), coloured, tmp_path / "plain", num_epochs=1)
    compiled, plain = tensors_of(tmp_path / "compiled")[0], tensors_of(tmp_path / "plain")[0]
    assert compiled.keys() == plain.keys()
    for name, weight in plain.items():
        torch.testing.assert_close(compiled[name], weight, atol=1e-2, rtol=1e-2)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_a_trial_runs_on_a_gpu(coloured, config, tmp_path, precision):
    machine = Machine(torch.device("cuda"), num_workers=2)
    trial = Trial(config(precision=precision), coloured, tmp_path, machine=machine)
    assert trial.run_epoch()["gpu_memory_peak"] > 0

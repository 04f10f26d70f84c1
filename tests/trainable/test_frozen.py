"""Training the head alone: features computed once, and the same result as without keeping them."""

import numpy as np
import pytest
import torch

from trainable.checkpoint import load_last
from trainable.evaluate import predict_probabilities
from trainable.frozen import KEPT_FEATURES
from trainable.trial import Trial

CPU = torch.device("cpu")
FROZEN = {"freeze__name": "all", "head__name": "shallow", "head__dropout": 0.3}


@pytest.fixture(autouse=True)
def nothing_kept():
    KEPT_FEATURES.clear()
    yield
    KEPT_FEATURES.clear()


@pytest.fixture
def without_room(monkeypatch):
    """Return a function after which no features are kept."""
    return lambda: monkeypatch.setattr(KEPT_FEATURES, "share", 0.0)


def count_images(trial):
    """Return the list of how many images the backbone was given, call by call."""
    counts = []
    trial._model.backbone.register_forward_pre_hook(
        lambda _, inputs: counts.append(len(inputs[0]))
    )
    return counts


def trained(config, data, folder, *, num_epochs=2):
    trial = Trial(config, data, folder)
    counts = count_images(trial)
    rows = [trial.run_epoch() for _ in range(num_epochs)]
    trial.close()
    return load_last(folder / "checkpoint").model, rows, counts


def test_a_frozen_backbone_sees_every_image_once(coloured, config, tmp_path):
    _, _, counts = trained(config(**FROZEN), coloured, tmp_path, num_epochs=3)
    assert counts == [len(coloured.rows("train")), len(coloured.rows("val"))]


def test_trials_with_the_same_backbone_share_its_features(coloured, config, tmp_path):
    trained(config(**FROZEN), coloured, tmp_path / "one")
    other_head = FROZEN | {"head__name": "linear", "optimizer__lr": 0.1}
    assert trained(config(**other_head), coloured, tmp_path / "two")[2] == []
    other_weights = config(**other_head, seed=1)
    assert len(trained(other_weights, coloured, tmp_path / "three")[2]) == 2


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("sampler", ["none", "imbalanced"])
def test_a_head_on_kept_features_becomes_what_it_becomes_on_images(
    coloured, config, tmp_path, without_room, precision, sampler
):
    # Adam would divide the least differences by themselves.
    small = {"backbone__pretrained": "small", "optimizer__name": "sgd"}
    changed = config(**FROZEN, **small, precision=precision, sampler__name=sampler)
    kept, kept_rows, _ = trained(changed, coloured, tmp_path / "kept")
    without_room()
    plain, plain_rows, counts = trained(changed, coloured, tmp_path / "plain")
    assert len(counts) > 2
    # Batches of another size add up in another order; bf16 rounds what comes of it.
    tolerance = {"fp32": 1e-5, "bf16": 1e-2}[precision]
    for name, weight in plain.items():
        torch.testing.assert_close(kept[name], weight, atol=tolerance, rtol=tolerance)
    for metric in ("train/loss", "val/loss"):
        expected = [row[metric] for row in plain_rows]
        assert [row[metric] for row in kept_rows] == pytest.approx(expected, rel=10 * tolerance)


@pytest.mark.parametrize("changes", [{}, {"ema": 0.7}])
def test_validation_on_kept_features_gives_the_bits_of_validation_on_images(
    coloured, config, tmp_path, changes
):
    trial = Trial(config(**FROZEN, **changes), coloured, tmp_path)
    trial.run_epoch()
    recorded = np.load(tmp_path / "val_probs.npz")["probs"]
    on_images = predict_probabilities(
        trial._evaluated, coloured.images((32, 24)), coloured.rows("val"), device=CPU
    )
    trial.close()
    np.testing.assert_array_equal(recorded, on_images.numpy())


def test_the_moving_average_of_a_frozen_backbone_is_that_backbone(coloured, config, tmp_path):
    trial = Trial(config(**FROZEN, ema=0.7), coloured, tmp_path)
    trial.run_epoch(), trial.run_epoch()
    averaged = trial._ema.module.backbone.state_dict()
    backbone = trial._model.backbone.state_dict()
    head = trial._model.head.state_dict()
    assert all(torch.equal(averaged[name], backbone[name]) for name in backbone)
    of_average = trial._ema.module.head.state_dict()
    assert not all(torch.equal(of_average[name], head[name]) for name in head)
    trial.close()


@pytest.mark.parametrize(
    "changes",
    [
        {"augmentation__name": "base"},
        {"cutmix__name": "cutmix", "cutmix__probability": 1.0},
    ],
)
def test_images_that_change_go_through_the_backbone_and_no_further_back(
    coloured, config, tmp_path, changes
):
    trial = Trial(config(**FROZEN, **changes), coloured, tmp_path)
    inside = []
    trial._model.backbone.register_forward_hook(
        lambda *_: inside.append(torch.is_inference_mode_enabled())
    )
    for _ in range(2):
        trial.run_epoch()
    num_batches = 2 * len(trial._loop.batches)
    assert inside == [True] * (num_batches + 1)  # and the validation part once
    assert all(p.grad is None for p in trial._model.backbone.parameters())
    trial.close()


def test_in_inference_mode_the_head_gets_the_gradients_of_the_whole_network(
    coloured, config, tmp_path
):
    trial = Trial(config(**FROZEN), coloured, tmp_path)
    trial._train()
    images, targets = next(trial._loop._mixed_batches(0))
    gradients = []
    for network in (trial._model, trial._model.with_frozen_backbone):
        torch.manual_seed(0)
        trial._loop.optimizer.zero_grad(set_to_none=True)
        trial._loop.loss(network(images), targets).backward()
        gradients.append([p.grad.clone() for p in trial._model.head.parameters()])
    trial.close()
    assert all(torch.equal(a, b) for a, b in zip(*gradients, strict=True))


def test_what_has_thawed_is_trained_on_images(coloured, config, tmp_path):
    melt = config(freeze__name="melt", freeze__share=0.5, epochs=4)
    trial = Trial(melt, coloured, tmp_path)
    counts = count_images(trial)
    num_calls = []
    for _ in range(4):
        trial.run_epoch()
        num_calls.append(len(counts))
    of_epoch = len(trial._loop.batches) + 1
    trial.close()
    assert num_calls == [2, 2, 2 + of_epoch, 2 + 2 * of_epoch]

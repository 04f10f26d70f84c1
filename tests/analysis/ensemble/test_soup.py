"""Weights of trials averaged into one network."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from analysis.bundle import read_bundle
from analysis.ensemble.__main__ import main
from analysis.ensemble.batch_norm import estimate_batch_norm
from analysis.ensemble.pool import read_pool
from analysis.ensemble.soup import soups
from analysis.member import load_member
from analysis.run_folder import RunFolder

CPU = torch.device("cpu")


@pytest.fixture
def pool(fine_tuned_run):
    return read_pool([RunFolder(fine_tuned_run)], metric="val/loss")


@pytest.fixture
def soup(pool, tmp_path):
    (soup,) = soups(pool, tmp_path, CPU)
    return soup


def test_trials_of_one_start_are_averaged_where_that_is_no_worse(soup, pool):
    assert sorted(soup.soup_of) == ["copy/0000", "copy/0001"]
    assert set(soup.name.split("+")) == {"0000", "0001"}
    weights = [load_file(candidate.weights_file) for candidate in pool.candidates[:2]]
    averaged = load_file(soup.weights_file)
    name = "backbone.conv_stem.weight"
    torch.testing.assert_close(averaged[name], (weights[0][name] + weights[1][name]) / 2)


def test_the_batch_norm_of_a_soup_is_that_of_its_training_images(soup, coloured_data):
    labels = coloured_data.label_space
    member = load_member(soup.config_file, soup.weights_file, labels, CPU)
    inputs = []
    member.model.backbone.bn1.register_forward_pre_hook(lambda _, args: inputs.append(args[0]))
    rows = coloured_data.rows("train")
    member.probabilities(coloured_data.images((32, 24)), rows)
    values = torch.cat(inputs).transpose(0, 1).flatten(1)
    norm = member.model.backbone.bn1
    torch.testing.assert_close(norm.running_mean, values.mean(dim=1), rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(norm.running_var, values.var(dim=1), rtol=1e-3, atol=1e-4)


def test_what_a_soup_says_of_the_validation_images_is_recorded(soup, coloured_data):
    member = load_member(soup.config_file, soup.weights_file, coloured_data.label_space, CPU)
    images, rows = coloured_data.images((32, 24)), coloured_data.rows("val")
    np.testing.assert_allclose(member.probabilities(images, rows), soup.probabilities, atol=1e-5)


def test_trials_from_scratch_or_of_other_networks_make_no_soup(trained_run, tmp_path):
    assert soups(read_pool([RunFolder(trained_run)]), tmp_path, CPU) == []


def test_an_average_that_is_worse_is_no_candidate(fine_tuned_run, tmp_path):
    """Trial 1 gets the weights of another valley: turned round, its average with 0 is nothing."""
    folder = RunFolder(fine_tuned_run).trial_folder(1)
    turned = {
        n: -t if t.is_floating_point() else t for n, t in load_file(folder.best_weights).items()
    }
    save_file(turned, folder.best_weights)
    recorded = dict(np.load(folder.probabilities))
    worse = np.full_like(recorded["probs"], 1 / 3)
    np.savez(folder.probabilities, **recorded | {"probs": worse})
    pool = read_pool([RunFolder(fine_tuned_run)], metric="val/loss")
    assert soups(pool, tmp_path, CPU) == []


def test_a_soup_can_become_a_member_and_the_manifest_says_of_what(fine_tuned_run, tmp_path):
    out = tmp_path / "bundle"
    options = ["--metric", "val/loss", "--method", "top_k", "--soup", "--max-members", "4"]
    assert main([str(fine_tuned_run), "--out", str(out), *options]) == 0
    soup_of = [m.soup_of for m in read_bundle(out).manifest.members if m.soup_of]
    assert [sorted(trials) for trials in soup_of] == [["copy/0000", "copy/0001"]]
    assert "| soup of copy/000" in (out / "card.md").read_text()
    written = json.loads((out / "bundle.json").read_text())["members"]
    assert sum("soup_of" in member for member in written) == 1


def test_batch_norm_estimated_in_batches_is_that_of_all_images(pool, coloured_data):
    best = pool.candidates[0]
    files = (best.config_file, best.weights_file)
    images, rows = coloured_data.images((32, 24)), coloured_data.rows("train")
    one, two = (load_member(*files, coloured_data.label_space, CPU) for _ in range(2))
    estimate_batch_norm(one, images, rows)
    estimate_batch_norm(two, images, rows[::-1].copy())
    for norm in (m for m in one.model.modules() if isinstance(m, torch.nn.BatchNorm2d)):
        assert not norm.training
        assert norm.momentum is not None
    name = "backbone.bn1.running_mean"
    torch.testing.assert_close(one.model.state_dict()[name], two.model.state_dict()[name])

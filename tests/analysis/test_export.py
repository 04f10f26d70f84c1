import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from analysis.bundle import read_bundle
from analysis.export import best_with_weights, main
from analysis.member import load_member
from analysis.run_folder import RunFolder
from trainable.data.cache import cache_file
from trainable.errors import ConfigError


@pytest.fixture
def copy(trained_run, tmp_path):
    """Return a copy of the run that a test may damage."""
    return shutil.copytree(trained_run, tmp_path / "copy")


def trial_file(run, number, *names):
    return RunFolder(run).trial_folder(number).path.joinpath(*names)


def test_members_are_the_best_trials_in_order(bundle, trained_run):
    numbers = [member.trial for member in read_bundle(bundle).manifest.members]
    assert numbers == best_with_weights(RunFolder(trained_run), 3)
    assert sorted(numbers) == [0, 1, 2]


def test_members_read_from_the_bundle_reproduce_the_recorded_probabilities(
    bundle, trained_run, coloured_data
):
    read = read_bundle(bundle)
    for entry in read.manifest.members:
        files = (read.config_file(entry), read.weights_file(entry))
        member = load_member(*files, read.manifest.label_space, torch.device("cpu"))
        recorded = np.load(trial_file(trained_run, entry.trial, "val_probs.npz"))
        images = coloured_data.images(entry.size)
        predicted = member.probabilities(images, recorded["rows"], batch_size=4)
        np.testing.assert_allclose(predicted, recorded["probs"], atol=1e-4)


def test_a_members_validation_score_is_the_recorded_one_of_its_best_epoch(bundle, trained_run):
    for member in read_bundle(bundle).manifest.members:
        rows = RunFolder(trained_run).trial_folder(member.trial).read_metrics()
        best = max(rows, key=lambda row: row["val/f1"])
        assert member.metrics["val/f1"].value == pytest.approx(best["val/f1"], abs=1e-6)
        assert member.metrics["val/loss"].value == pytest.approx(best["val/loss"], abs=1e-4)


def test_the_scores_of_the_bundle_are_those_of_the_average(bundle, trained_run, coloured_data):
    files = [trial_file(trained_run, number, "val_probs.npz") for number in range(3)]
    average = np.mean([np.load(file)["probs"] for file in files], axis=0)
    labels = coloured_data.labels()[coloured_data.rows("val")]
    metrics = read_bundle(bundle).manifest.metrics
    assert metrics["val/accuracy"].value == pytest.approx(
        (average.argmax(axis=1) == labels).mean()
    )
    assert {"test/f1", "test/accuracy", "test/f1/warm", "test/f1/camera/old"} <= set(metrics)


def test_the_normalisation_is_that_of_the_network(bundle):
    for member in read_bundle(bundle).manifest.members:
        assert member.mean == pytest.approx((0.485, 0.456, 0.406))
        assert member.std == pytest.approx((0.229, 0.224, 0.225))


def test_the_card_says_how_good_the_bundle_is_and_on_what(bundle):
    card = (bundle / "card.md").read_text()
    f1 = read_bundle(bundle).manifest.metrics["test/f1"].value
    assert "The 3 best trials, equally weighted, of the 3 of trained by val/f1." in card
    assert f"{f1:.4f}" in card
    assert "train 39 images, val 9 images, test 12 images." in card
    assert "so its scores flatter" in card


def test_the_default_is_the_best_trial_alone(trained_run, tmp_path, capsys):
    assert main([str(trained_run), "--out", str(tmp_path / "one")]) == 0
    members = read_bundle(tmp_path / "one").manifest.members
    assert [member.trial for member in members] == best_with_weights(RunFolder(trained_run), 1)
    assert members[0].weight == 1.0
    assert "their average" not in capsys.readouterr().out


def test_fewer_trials_with_weights_than_asked_for_is_said(copy, tmp_path, capsys):
    trial_file(copy, 0, "checkpoint", "best.safetensors").unlink()
    assert main([str(copy), "--top", "3", "--out", str(tmp_path / "out")]) == 0
    output = " ".join(capsys.readouterr().out.split())
    assert "--top: expected 3 trials, got 2 with weights" in output
    assert len(read_bundle(tmp_path / "out").manifest.members) == 2


def test_a_run_without_trials_cannot_be_exported(make_run, tmp_path, capsys):
    run = make_run("empty", [])
    assert main([str(run), "--out", str(tmp_path / "out")]) == 2
    expected = "empty: expected at least one finished trial with weights, got none among 0 trials."
    assert capsys.readouterr().err.endswith(f"{expected}\n")
    assert not (tmp_path / "out").exists()


def refused(run, out, capsys):
    assert main([str(run), "--top", "3", "--out", str(out)]) == 2
    assert not out.exists()
    return capsys.readouterr().err


def test_weights_that_do_not_reproduce_what_was_recorded_are_refused(copy, tmp_path, capsys):
    file = trial_file(copy, 1, "checkpoint", "best.safetensors")
    weights = load_file(file)
    weights["head.layers.1.bias"] = weights["head.layers.1.bias"] + torch.tensor([0.01, 0, 0])
    save_file(weights, file)
    error = refused(copy, tmp_path / "out", capsys)
    assert error.startswith("trial 0001: expected weights that reproduce the recorded validation")
    assert "for photos/" in error


def test_changed_images_are_found(copy, coloured_data, tmp_path, capsys):
    run_file = copy / "run.json"
    run = json.loads(run_file.read_text())
    images = np.array(coloured_data.images((32, 24)))
    changed = replace(coloured_data, cache_dir=tmp_path / "cache")
    cache_file(changed, (32, 24)).parent.mkdir(parents=True)
    np.save(cache_file(changed, (32, 24)), 255 - images)
    np.save(cache_file(changed, (24, 24)), coloured_data.images((24, 24)))
    run["data"]["cache_dir"] = str(tmp_path / "cache")
    run_file.write_text(json.dumps(run))
    assert "to 0.0001, got a difference of" in refused(copy, tmp_path / "out", capsys)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("val_probs.npz", b"", "val_probs.npz: expected recorded probabilities, got"),
        ("val_probs.npz", b"PK not a zip", "val_probs.npz: expected recorded probabilities, got"),
        ("config.json", b"{", "config.json: expected a configuration, got"),
        ("config.json", b'{"loss": {"name": "focl"}}', "config.json: loss/name: expected"),
        ("checkpoint/best.safetensors", b"x" * 20, "safetensors: expected trained weights, got"),
    ],
)
def test_a_damaged_file_of_a_trial_is_named(copy, tmp_path, capsys, name, content, message):
    trial_file(copy, 0, name).write_bytes(content)
    assert message in refused(copy, tmp_path / "out", capsys)


def test_a_missing_configuration_is_named(copy, tmp_path, capsys):
    trial_file(copy, 0, "config.json").unlink()
    error = refused(copy, tmp_path / "out", capsys)
    assert "0000/config.json: expected a configuration, got no file." in error


def test_missing_probabilities_are_named(copy, tmp_path, capsys):
    trial_file(copy, 0, "val_probs.npz").unlink()
    error = refused(copy, tmp_path / "out", capsys)
    assert "0000/val_probs.npz: expected recorded probabilities, got no file." in error


def test_probabilities_of_another_split_are_refused(copy, tmp_path, capsys):
    file = trial_file(copy, 0, "val_probs.npz")
    recorded = dict(np.load(file))
    np.savez(file, **recorded | {"rows": recorded["rows"] + 1})
    assert "the validation part of split.csv, got another" in refused(copy, tmp_path / "o", capsys)


def test_probabilities_of_other_classes_are_refused(copy, tmp_path, capsys):
    file = trial_file(copy, 0, "val_probs.npz")
    recorded = dict(np.load(file))
    np.savez(file, **recorded | {"probs": recorded["probs"][:, :2]})
    assert "expected 9 x 3 finite probabilities, got 9x2" in refused(copy, tmp_path / "o", capsys)


def test_weights_of_another_network_are_refused(copy, tmp_path, capsys):
    shallow, linear = (trial_file(copy, n, "checkpoint", "best.safetensors") for n in (2, 0))
    shutil.copyfile(shallow, linear)
    error = refused(copy, tmp_path / "out", capsys)
    assert "expected the weights of test_efficientnet as in config.json, got others" in error


def test_a_folder_in_use_is_refused_before_anything_is_computed(trained_run, tmp_path, capsys):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "file").touch()
    assert main([str(trained_run), "--out", str(tmp_path / "out")]) == 2
    assert "expected a new or empty folder" in capsys.readouterr().err


def test_only_trials_with_weights_are_candidates(copy):
    for number in range(3):
        trial_file(copy, number, "checkpoint", "best.safetensors").unlink()
    with pytest.raises(ConfigError, match="finished trial with weights, got none among 3"):
        best_with_weights(RunFolder(copy), 1)

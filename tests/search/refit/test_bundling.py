import shutil

import numpy as np
import pytest
import torch

from analysis.bundle import read_bundle
from analysis.member import load_member
from search.refit.bundling import refit_lines, write_refit
from search.refit.members import read_request
from search.refit.work import open_work
from trainable.checkpoint import load_weights
from trainable.errors import ConfigError
from trainable.metrics import score

CPU = torch.device("cpu")


@pytest.fixture
def refit(run, data, tmp_path, train):
    """Return a function that trains members again and writes their bundle."""

    def make(*names, num_folds=None):
        request = read_request([run], list(names))
        work = open_work(tmp_path, request, data, num_folds=num_folds, seed=0)
        train(work)
        refitted = write_refit(data, request, work, tmp_path / "out", metric="val/loss")
        return refitted, work, read_bundle(tmp_path / "out")

    return make


def said(bundle, data, rows):
    """Return what each member of a bundle says of some images."""
    members = [
        load_member(bundle.config_file(e), bundle.weights_file(e), data.label_space, CPU)
        for e in bundle.manifest.members
    ]
    return [m.probabilities(data.images(m.config.resize), rows) for m in members]


def test_members_trained_on_everyone_are_scored_on_the_test_part_alone(refit, data):
    refitted, _, bundle = refit("0", "1")
    assert [(m.trial, m.weight, m.trained_on) for m in bundle.manifest.members] == [
        (0, 0.5, "train and val"),
        (1, 0.5, "train and val"),
    ]
    assert {name.split("/")[0] for name in bundle.manifest.metrics} == {"test"}
    assert bundle.manifest.data.num_images["val"] == 0
    rows = data.rows("test")
    average = torch.from_numpy(np.mean(said(bundle, data, rows), axis=0))
    labels = torch.from_numpy(data.labels()[rows])
    wanted = score(average, labels, data.label_space)["loss"]
    assert bundle.manifest.metrics["test/loss"].value == pytest.approx(wanted, rel=1e-5)
    assert list(refitted.scores["what"]) == ["trained again"]


def test_what_is_gained_over_the_ensemble_before_is_told(refit, run):
    refitted, _, bundle = refit()
    scores = refitted.scores.set_index("what")["value"]
    before = read_bundle(run.path / "ensemble").manifest.metrics["test/loss"].value
    assert scores["before"] == pytest.approx(before, rel=1e-5)
    after = bundle.manifest.metrics["test/loss"].value
    assert scores["trained again"] == pytest.approx(after, rel=1e-5)
    assert scores["gain"] == pytest.approx(before - scores["trained again"], rel=1e-5)
    text = "\n".join(refit_lines(refitted, "val/loss"))
    assert f"{before:.4f}" in text
    assert "gain on test" in text


def test_a_soup_is_made_anew_of_its_trials_trained_again(refit, data):
    _, work, bundle = refit()
    (soup,) = [m for m in bundle.manifest.members if m.soup_of]
    trained = [load_weights(job.folder.best_weights) for job in work.jobs]
    averaged = load_weights(bundle.weights_file(soup))
    name = "backbone.conv_stem.weight"
    torch.testing.assert_close(averaged[name], (trained[0][name] + trained[1][name]) / 2)
    assert sorted(soup.soup_of) == ["a/0000", "a/0001"]


def test_folds_are_averaged_and_everyone_is_scored_by_those_trained_without_them(refit, data):
    refitted, work, bundle = refit("0", num_folds=2)
    members = bundle.manifest.members
    assert [m.trained_on for m in members] == [
        "train and val without fold 1",
        "train and val without fold 2",
    ]
    assert sum(m.weight for m in members) == pytest.approx(1)
    out_of_fold, labels = [], []
    for number, of_fold in enumerate(work.data.values()):
        rows = of_fold.rows("val")
        out_of_fold.append(said(bundle, data, rows)[number])
        labels.append(data.labels()[rows])
    wanted = score(
        torch.from_numpy(np.concatenate(out_of_fold)),
        torch.from_numpy(np.concatenate(labels)),
        data.label_space,
    )
    metrics = bundle.manifest.metrics
    assert metrics["oof/loss"].value == pytest.approx(wanted["loss"], rel=1e-4)
    assert metrics["oof/f1"].value == pytest.approx(wanted["f1"], rel=1e-4)
    assert metrics["oof/loss"].interval is not None
    assert list(refitted.scores["part"]) == ["oof", "test"]
    assert "| out of fold | test |" in (bundle.path / "card.md").read_text()


def test_a_network_that_does_not_say_what_was_recorded_is_refused(run, data, tmp_path, train):
    request = read_request([run], ["0"])
    work = open_work(tmp_path, request, data, num_folds=2, seed=0)
    train(work)
    shutil.copyfile(work.jobs[0].folder.best_weights, work.jobs[1].folder.best_weights)
    with pytest.raises(ConfigError, match="trial a/0000, fold 2: expected weights that reproduce"):
        write_refit(data, request, work, tmp_path / "out", metric="val/loss")
    assert not (tmp_path / "out").exists()

"""The command on real run folders, from trials to a bundle."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from analysis.bundle import read_bundle
from analysis.ensemble.__main__ import main
from analysis.ensemble.making import conclude_with_ensemble
from analysis.predict import main as predict
from analysis.run_folder import RunFolder


def ensemble(*arguments):
    assert main([*map(str, arguments)]) == 0


def refused(out, capsys, *arguments):
    assert main([*map(str, arguments), "--out", str(out)]) == 2
    assert not out.exists()
    return capsys.readouterr().err


def probabilities(run, number):
    return np.load(RunFolder(run).trial_folder(number).probabilities)["probs"]


@pytest.fixture
def out(tmp_path):
    return tmp_path / "ensemble"


def test_the_bundle_holds_the_members_and_the_honest_numbers(trained_run, out, coloured_data):
    ensemble(trained_run, "--out", out, "--method", "top_k", "--max-members", "2")
    manifest = read_bundle(out).manifest
    assert [member.weight for member in manifest.members] == [0.5, 0.5]
    votes = [probabilities(trained_run, member.trial) for member in manifest.members]
    labels = coloured_data.labels()[coloured_data.rows("val")]
    right = np.mean(votes, axis=0).argmax(axis=1) == labels
    assert manifest.metrics["val/accuracy"].value == pytest.approx(right.mean())
    for name in ("val/f1", "crossfit/f1", "crossfit/loss", "test/f1", "test/f1/warm"):
        low, high = manifest.metrics[name].interval
        assert 0 <= low <= high
    assert manifest.metrics["test/f1"].interval[0] < manifest.metrics["test/f1"].interval[1]


def test_every_member_is_written_in_the_formats_asked_for(
    trained_run, out, coloured_data, tmp_path
):
    methods = ["--method", "top_k", "--max-members", "2"]
    ensemble(trained_run, "--out", out, *methods, "--format", "torch-export")
    assert read_bundle(out).manifest.formats == ("safetensors", "torch-export")
    images = ["--images", str(coloured_data.index.root)]
    tables = []
    for name in ("safetensors", "torch-export"):
        file = tmp_path / f"{name}.csv"
        assert predict([str(out), *images, "--out", str(file), "--format", name]) == 0
        tables.append(pd.read_csv(file))
    pd.testing.assert_frame_equal(*tables, atol=1e-4, rtol=0)


def test_the_card_says_how_members_were_chosen_and_what_the_numbers_mean(trained_run, out):
    ensemble(trained_run, "--out", out, "--metric", "val/loss")
    card = (out / "card.md").read_text()
    assert "Adds whichever candidate helps the average most" in card
    assert "Out of 3 candidates of trained by val/loss (method greedy)." in card
    assert "|  | validation | cross-fitted | test |" in card
    assert "Cross-fitted: members chosen on some of the validation people" in card
    crossfit = read_bundle(out).manifest.metrics["crossfit/loss"]
    assert f"{crossfit.value:.4f} ({crossfit.interval[0]:.4f} to" in card


def test_the_greedy_ensemble_is_no_worse_than_the_best_member_on_validation(trained_run, out):
    ensemble(trained_run, "--out", out)
    best = max(
        row["val/f1"]
        for number in range(3)
        for row in RunFolder(trained_run).trial_folder(number).read_metrics()
    )
    assert read_bundle(out).manifest.metrics["val/f1"].value >= best - 1e-6


def test_members_gain_and_honest_numbers_are_printed(trained_run, out, capsys):
    ensemble(trained_run, "--out", out, "--method", "top_k", "--max-members", "2")
    text = capsys.readouterr().out
    assert text.startswith(
        "3 candidates of trained, chosen by val/f1.\n\nmember      weight  val/f1\n"
    )
    assert " of the best alone (" in text
    assert "after 2 steps.\nTwo members give different classes to " in text
    lines = [line.split("  ")[0] for line in text.splitlines()]
    assert lines[-7:-3] == ["validation", "cross-fitted", "test", "gain on test"]
    assert f"python -m analysis.predict {out} --images FOLDER" in text


def test_the_printed_test_score_of_the_best_is_its_own_also_if_it_is_no_member(
    trained_run, out, tmp_path, capsys, coloured_data
):
    """The heaviest two of many bags need not be the best one; the best is scored all the same."""
    ensemble(trained_run, "--out", tmp_path / "best", "--max-members", "1")
    alone = read_bundle(tmp_path / "best").manifest.metrics["test/f1"]
    capsys.readouterr()
    ensemble(trained_run, "--out", out, "--method", "top_k")
    (line,) = [t for t in capsys.readouterr().out.splitlines() if t.startswith("test ")]
    low, high = alone.interval
    assert f"{alone.value:.4f} ({low:.4f} to {high:.4f})" in line


def test_the_bundle_predicts_new_images_and_averages_with_their_mirror_images(
    trained_run, out, tmp_path
):
    ensemble(trained_run, "--out", out)
    pixels = np.random.default_rng(0).integers(0, 256, (24, 24, 3), dtype=np.uint8)
    votes = {}
    for name, picture in {"plain": pixels, "mirrored": pixels[:, ::-1]}.items():
        folder = tmp_path / name
        folder.mkdir()
        Image.fromarray(np.ascontiguousarray(picture)).save(folder / "a.png")
        for option in ([], ["--flip"]):
            file = tmp_path / "out.csv"
            assert predict([str(out), "--images", str(folder), "--out", str(file), *option]) == 0
            votes[name, *option] = pd.read_csv(file).filter(like="prob/").to_numpy()
    assert (abs(votes["plain",] - votes["mirrored",]) > 1e-3).any()
    average = (votes["plain",] + votes["mirrored",]) / 2
    np.testing.assert_allclose(votes["plain", "--flip"], average, atol=1e-5)
    np.testing.assert_allclose(votes["mirrored", "--flip"], average, atol=1e-5)


def test_several_runs_form_one_pool(trained_run, copy, out, capsys):
    ensemble(trained_run, copy, "--out", out, "--method", "top_k", "--max-members", "6")
    assert "6 candidates of trained, copy, chosen by val/f1." in capsys.readouterr().out
    members = read_bundle(out).manifest.members
    assert {(member.run, member.trial) for member in members} == {
        (run, trial) for run in ("trained", "copy") for trial in range(3)
    }


def change_run(run, change):
    file = run / "run.json"
    facts = json.loads(file.read_text())
    change(facts)
    file.write_text(json.dumps(facts))


def test_runs_on_other_images_are_refused(trained_run, copy, out, capsys):
    change_run(copy, lambda facts: facts["data"].update(fingerprint="0" * 16))
    error = refused(out, capsys, trained_run, copy)
    assert error.startswith(f"{copy}: data: expected the images of {trained_run} (fingerprint ")
    assert error.endswith("got others (0000000000000000).\n")


def test_runs_with_other_classes_are_refused(trained_run, copy, out, capsys):
    change_run(copy, lambda facts: facts["data"]["classes"].append("yellow"))
    change_run(copy, lambda facts: facts["data"]["attributes"].clear())
    error = refused(out, capsys, trained_run, copy)
    assert "copy: classes: expected classes and attributes of" in error
    assert error.endswith("got blue, green, red, yellow.\n")


def test_runs_with_another_split_are_refused(trained_run, copy, out, capsys):
    table = pd.read_csv(copy / "split.csv", dtype=str)
    table.loc[table.index[table["part"] == "train"][0], "part"] = "test"
    table.to_csv(copy / "split.csv", index=False)
    error = refused(out, capsys, trained_run, copy)
    assert f"copy: split: expected that of {trained_run}, got another one." in error
    assert len(error.splitlines()) == 1


def test_runs_that_optimised_different_metrics_need_to_be_told_which(
    trained_run, copy, out, capsys
):
    change_run(copy, lambda facts: facts.update(metric="val/loss", mode="min"))
    error = refused(out, capsys, trained_run, copy)
    assert error.startswith("metric: expected runs that optimised the same, got val/f1 of ")
    assert "copy. Say by --metric" in error
    ensemble(trained_run, copy, "--out", out, "--metric", "val/accuracy")


def test_a_folder_of_run_folders_is_one_pool(trained_run, tmp_path, make_run, out, capsys):
    """Runs without finished trials, and damaged ones, are named and passed over."""
    team = tmp_path / "team"
    for name in ("ann/quick", "bob/quick"):
        shutil.copytree(trained_run, team / name)
    make_run("team/begun", [{"state": "running", "curve": [0.5]}])
    (team / "broken").mkdir()
    (team / "broken" / "run.json").write_text("{")
    ensemble(team, "--out", out, "--method", "top_k", "--max-members", "6")
    captured = capsys.readouterr()
    assert "6 candidates of ann/quick, bob/quick, chosen by val/f1." in captured.out
    begun, broken = captured.err.splitlines()
    assert begun == f"Left out: {team}/begun: expected a finished trial, got none yet."
    assert broken.startswith(f"Left out: {team}/broken/run.json: expected JSON, got ")
    assert {m.run for m in read_bundle(out).manifest.members} == {"ann/quick", "bob/quick"}


def test_of_a_folder_of_run_folders_the_one_that_differs_is_named(trained_run, copy, out, capsys):
    shutil.copytree(trained_run, copy.parent / "team" / "ann")
    bob = shutil.copytree(copy, copy.parent / "team" / "bob")
    change_run(bob, lambda facts: facts["data"].update(fingerprint="0" * 16))
    error = refused(out, capsys, copy.parent / "team")
    assert error.startswith(f"{bob}: data: expected the images of {bob.parent}/ann (fingerprint ")


def test_the_same_run_twice_is_refused(trained_run, out, capsys):
    assert "expected each run folder once" in refused(out, capsys, trained_run, trained_run)


def test_trials_with_damaged_or_missing_probabilities_are_named_and_left_out(copy, out, capsys):
    run = RunFolder(copy)
    run.trial_folder(0).probabilities.write_bytes(b"PK")
    run.trial_folder(2).probabilities.unlink()
    ensemble(copy, "--out", out)
    lines = capsys.readouterr().out.splitlines()
    assert "0000/val_probs.npz: expected recorded probabilities, got '" in lines[0]
    assert lines[1].endswith("0002/val_probs.npz: expected recorded probabilities, got no file.")
    assert lines[2] == "1 candidate of copy, chosen by val/f1."
    assert [member.trial for member in read_bundle(out).manifest.members] == [1]


def test_a_run_without_any_probabilities_is_refused(copy, out, capsys):
    for number in range(3):
        RunFolder(copy).trial_folder(number).probabilities.unlink()
    error = refused(out, capsys, copy)
    assert len(error.splitlines()) == 4
    assert error.endswith("finished trial with probabilities and weights, got none.\n")


def test_a_run_without_finished_trials_is_refused(copy, make_run, out, capsys):
    shutil.copyfile(make_run("empty", []) / "study.db", copy / "study.db")
    error = refused(out, capsys, copy)
    assert "copy: expected at least one finished trial with probabilities" in error


def test_trials_without_weights_are_counted_and_left_out(copy, out, capsys):
    RunFolder(copy).trial_folder(1).best_weights.unlink()
    ensemble(copy, "--out", out, "--method", "top_k")
    text = capsys.readouterr().out
    assert "2 candidates of copy" in text
    assert "\n1 more trial has no weights any more: --keep-checkpoints" in text
    assert {member.trial for member in read_bundle(out).manifest.members} == {0, 2}


def test_what_trials_without_weights_would_add_is_shown_and_nothing_written(copy, out, capsys):
    RunFolder(copy).trial_folder(1).best_weights.unlink()
    arguments = [str(copy), "--out", str(out), "--method", "top_k", "--all-trials"]
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert "trial 0001   0.333" in captured.out
    assert captured.err.startswith("trial 0001: expected weights to export, got none any more. ")
    assert not out.exists()


def test_the_cost_of_members_is_measured_where_it_is_limited(trained_run, out, capsys):
    ensemble(trained_run, "--out", out, "--max-gpu-ms", "10000")
    assert "val/f1  ms/image\n" in capsys.readouterr().out
    assert "at most 10000 were allowed" in read_bundle(out).manifest.chosen


def test_a_cost_that_no_candidate_keeps_is_refused(trained_run, out, capsys):
    error = refused(out, capsys, trained_run, "--max-gpu-ms", "0.000001")
    assert "--max-gpu-ms: expected room for one member, got " in error


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--method", "top_k", "--bags", "3"],
            "--bags: expected an option of --method top_k, got",
        ),
        (["--max-members", "0"], "--max-members: expected greater than or equal to 1, got 0."),
        (["--max-members", "many"], "--max-members: expected a whole number, got 'many'."),
        (["--method", "gredy"], "--method: expected a known value, got 'gredy'. Did you mean 'gr"),
        (["--metric", "f1"], "--metric: expected a metric of the validation part, such as val/f1"),
        (
            ["--metric", "val/f2"],
            "metric: expected a known metric, got 'val/f2'. Did you mean 'va",
        ),
    ],
)
def test_wrong_options_are_one_line(trained_run, out, capsys, options, message):
    error = refused(out, capsys, trained_run, *options)
    assert error.startswith(message)
    assert len(error.splitlines()) == 1


def test_a_folder_in_use_is_refused_before_anything_is_read(tmp_path, trained_run, capsys):
    (tmp_path / "file").touch()
    assert main([str(trained_run), "--out", str(tmp_path)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "expected a new or empty folder, got one in use" in captured.err


def test_a_member_that_does_not_reproduce_what_was_recorded_is_refused(copy, out, capsys):
    folder = RunFolder(copy).trial_folder(0)
    recorded = dict(np.load(folder.probabilities))
    np.savez(folder.probabilities, **recorded | {"probs": recorded["probs"][:, ::-1]})
    error = refused(out, capsys, copy, "--method", "top_k")
    assert error.startswith("trial 0000: expected weights that reproduce the recorded validation")


def test_a_search_concludes_with_the_same_lines(trained_run, out):
    lines = conclude_with_ensemble(RunFolder(trained_run), out)
    assert lines[0] == "3 candidates of trained, chosen by val/f1."
    assert lines[-2] == f"Written: {out}"
    assert read_bundle(out).manifest.metrics["crossfit/f1"].interval is not None

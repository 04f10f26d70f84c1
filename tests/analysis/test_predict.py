import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from analysis.bundle import read_bundle
from analysis.member import load_member
from analysis.predict import main
from trainable.data.decode import decode_image

PROBABILITIES = ["prob/blue", "prob/green", "prob/red"]
WARM = ["attribute_prob/warm/no", "attribute_prob/warm/yes"]


def predict(bundle, images, out, *options):
    assert main([str(bundle), "--images", str(images), "--out", str(out), *options]) == 0
    return pd.read_csv(out) if out.suffix == ".csv" else pd.read_parquet(out)


@pytest.fixture
def photos(coloured_data):
    return coloured_data.index.root / "photos"


@pytest.fixture
def some(photos, tmp_path):
    """Return a folder of three images."""
    folder = tmp_path / "some"
    folder.mkdir()
    for name in ("blue1.png", "green2.png", "red3.png"):
        shutil.copyfile(photos / name, folder / name)
    return folder


def recorded_average(bundle, run, rows):
    """Return the average of what training recorded of the bundle's members."""
    members = read_bundle(bundle).manifest.members
    files = [run / "trials" / f"{member.trial:04d}" / "val_probs.npz" for member in members]
    for file in files:
        np.testing.assert_array_equal(np.load(file)["rows"], rows)
    return np.mean([np.load(file)["probs"] for file in files], axis=0)


@pytest.mark.parametrize("batch_size", [1, 7, 64])
def test_the_data_sets_own_images_get_the_probabilities_recorded_in_training(
    bundle, trained_run, coloured_data, tmp_path, batch_size
):
    images = coloured_data.index.root
    table = predict(bundle, images, tmp_path / "out.csv", "--batch-size", str(batch_size))
    table = table.set_index("path").loc[coloured_data.index.table["path"]]
    rows = coloured_data.rows("val")
    expected = recorded_average(bundle, trained_run, rows)
    np.testing.assert_allclose(table[PROBABILITIES].to_numpy()[rows], expected, atol=1e-4)


def test_class_and_attributes_are_those_of_the_highest_probability(bundle, photos, tmp_path):
    table = predict(bundle, photos, tmp_path / "out.csv")
    best = table[PROBABILITIES].idxmax(axis="columns").str.removeprefix("prob/")
    assert list(table) == ["path", "class", *PROBABILITIES, "attribute/warm", *WARM]
    assert list(table["class"]) == list(best)
    assert list(table["attribute/warm"]) == ["yes" if c == "red" else "no" for c in best]
    assert table[PROBABILITIES].sum(axis="columns").to_numpy() == pytest.approx(1, abs=1e-5)


def test_a_form_is_filled_in_with_class_numbers_and_otherwise_left_as_it_is(
    bundle, photos, tmp_path
):
    form = tmp_path / "info.csv"
    form.write_text("extra,ImageID,ans\n01,red3.png,0\n,blue1.png,0\nNA,red3.png,0\n")
    (tmp_path / "images").symlink_to(photos)
    predict(bundle, form, tmp_path / "out.csv")
    filled = pd.read_csv(tmp_path / "out.csv", dtype=str, keep_default_na=False)
    wanted = predict(bundle, photos, tmp_path / "all.csv").set_index("path")["class"]
    numbers = {"blue": "0", "green": "1", "red": "2"}
    assert list(filled) == ["extra", "ImageID", "ans"]
    assert list(filled["extra"]) == ["01", "", "NA"]
    assert list(filled["ImageID"]) == ["red3.png", "blue1.png", "red3.png"]
    assert list(filled["ans"]) == [numbers[wanted[name]] for name in filled["ImageID"]]


def test_parquet_holds_the_same_as_csv(bundle, some, tmp_path):
    as_csv = predict(bundle, some, tmp_path / "out.csv")
    as_parquet = predict(bundle, some, tmp_path / "out.parquet")
    pd.testing.assert_frame_equal(as_parquet, as_csv, check_dtype=False, atol=1e-6)


def test_images_that_cannot_be_read_are_listed_and_left_empty(bundle, some, tmp_path, capsys):
    (some / "broken.png").write_bytes((some / "red3.png").read_bytes()[:200])
    (some / "empty.jpg").touch()
    table = predict(bundle, some, tmp_path / "out.csv").set_index("path")
    assert table.loc[["broken.png", "empty.jpg"]].isna().all(axis=None)
    assert table.loc["red3.png"].notna().all()
    error = capsys.readouterr().err
    assert f"{some}/empty.jpg: the file is empty\n" in error
    assert error.endswith("2 of 5 images cannot be read; they are left empty.\n")


def test_an_unreadable_image_leaves_its_field_of_a_form_empty(bundle, some, tmp_path):
    form = some / "info.csv"
    form.write_text("ImageID,ans\nmissing.png,0\nred3.png,0\n")
    predict(bundle, form, tmp_path / "out.csv")
    lines = (tmp_path / "out.csv").read_text().splitlines()
    assert lines[1] == "missing.png,"
    assert lines[2] in {"red3.png,0", "red3.png,1", "red3.png,2"}


def test_a_name_with_a_line_break_and_an_image_with_half_its_tags_are_one_line(
    bundle, some, tmp_path, capsys, recwarn
):
    (some / "a\nb.png").write_text("no image")
    Image.new("RGB", (80, 60)).save(some / "cut.tif")
    (some / "cut.tif").write_bytes((some / "cut.tif").read_bytes()[:-30])
    predict(bundle, some, tmp_path / "out.csv")
    lines = capsys.readouterr().err.splitlines()
    assert any(line.startswith(f"'{some}/a\\nb.png': not an image") for line in lines)
    assert all(line.startswith((str(some), f"'{some}")) for line in lines[:-1])
    assert not [warning for warning in recwarn if "PIL" in warning.filename]


def test_nothing_is_written_when_no_image_can_be_read(bundle, tmp_path, capsys):
    (tmp_path / "a.png").write_text("no image")
    out = tmp_path / "out.csv"
    assert main([str(bundle), "--images", str(tmp_path), "--out", str(out)]) == 2
    error = capsys.readouterr().err
    assert error.endswith(
        "--images: expected at least one image that can be read, got none of 1.\n"
    )
    assert not out.exists()


def write_modes(folder, pixels):
    """Write one picture in the modes that cameras and programs produce."""
    picture = Image.fromarray(pixels)
    lying = picture.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6
    lying.save(folder / "rotated.png", exif=exif)
    picture.save(folder / "plain.png")
    alpha = np.full((*pixels.shape[:2], 1), 255, np.uint8)
    Image.fromarray(np.concatenate([pixels, alpha], axis=2)).save(folder / "alpha.png")
    grey = np.asarray(picture.convert("L"))
    Image.fromarray(np.stack([grey] * 3, axis=2)).save(folder / "grey_as_rgb.png")
    Image.fromarray(grey).save(folder / "grey.png")
    Image.fromarray(grey.astype(np.uint16) * 256).save(folder / "sixteen_bit.png")


@pytest.mark.parametrize(
    ("mode", "same_as"),
    [
        ("rotated", "plain"),
        ("alpha", "plain"),
        ("grey", "grey_as_rgb"),
        ("sixteen_bit", "grey_as_rgb"),
    ],
)
def test_images_of_other_modes_are_predicted_like_the_plain_picture(
    bundle, tmp_path, mode, same_as
):
    pixels = np.random.default_rng(3).integers(0, 256, size=(40, 30, 3), dtype=np.uint8)
    write_modes(tmp_path, pixels)
    table = predict(bundle, tmp_path, tmp_path / "out.csv").set_index("path")[PROBABILITIES]
    expected = table.loc[f"{same_as}.png"].to_numpy()
    np.testing.assert_allclose(table.loc[f"{mode}.png"].to_numpy(), expected, atol=1e-6)


def test_members_are_averaged_by_their_weights(bundle, some, tmp_path):
    read = read_bundle(bundle)
    labels = read.manifest.label_space
    shares = (0.5, 0.3, 0.2)
    folder = shutil.copytree(bundle, tmp_path / "weighted")
    text = (folder / "bundle.json").read_text()
    for share in shares:
        text = text.replace('"weight": 0.3333333333333333', f'"weight": {share}', 1)
    (folder / "bundle.json").write_text(text)
    table = predict(folder, some, tmp_path / "out.csv")
    expected = np.zeros((3, 3))
    for entry, share in zip(read.manifest.members, shares, strict=True):
        files = (read.config_file(entry), read.weights_file(entry))
        member = load_member(*files, labels, torch.device("cpu"))
        images = np.stack([decode_image(path, entry.size) for path in sorted(some.iterdir())])
        expected += share * member.probabilities(images, np.arange(3))
    np.testing.assert_allclose(table[PROBABILITIES].to_numpy(), expected, atol=1e-5)


def test_a_bundle_works_without_the_run_data_and_cache_that_it_came_from(
    coloured_data, some, tmp_path, export_one
):
    data = replace(coloured_data, cache_dir=tmp_path / "cache")
    config = {"backbone/name": "test_resnet", "resize": "32x24", "optimizer/name": "adamw"}
    made, _ = export_one(config | {"optimizer/lr": 0.01, "epochs": 1}, data)
    before = predict(made, some, tmp_path / "before.csv")
    away = tmp_path / "away"
    away.mkdir()
    made.rename(away / "bundle")
    shutil.rmtree(tmp_path / "run")
    shutil.rmtree(tmp_path / "cache")
    command = [sys.executable, "-m", "analysis.predict", "bundle", "--images", str(some)]
    homeless = {"HOME": str(away), "XDG_CACHE_HOME": str(away / "cache")}
    path = {"PYTHONPATH": str(Path(__file__).parents[2])}
    ended = subprocess.run(
        [*command, "--out", "after.csv"],
        cwd=away,
        env=os.environ | homeless | path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == "3 images predicted: after.csv\n"
    pd.testing.assert_frame_equal(pd.read_csv(away / "after.csv"), before)
    assert {path.name for path in away.iterdir()} <= {"bundle", "after.csv", "cache"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--images", "{some}", "--out", "{tmp}/out.txt"], r"--out: expected a file \.csv or \.p"),
        (
            ["--images", "{some}", "--out", "{tmp}/no/out.csv"],
            "no/out.csv: expected a file in a folder",
        ),
        (["--images", "{tmp}/no", "--out", "{tmp}/out.csv"], "no: expected a folder or a CSV or"),
        (["--image", "{some}", "--out", "{tmp}/out.csv"], "Did you mean '--images'"),
        (["--images", "{some}"], "--out: expected a value, got nothing"),
    ],
)
def test_wrong_arguments_are_one_line_and_exit_code_2(
    bundle, some, tmp_path, capsys, options, message
):
    options = [option.format(some=some, tmp=tmp_path) for option in options]
    assert main([str(bundle), *options]) == 2
    captured = capsys.readouterr()
    assert len(captured.err.splitlines()) == 1
    assert re.search(message, captured.err)


def test_a_damaged_bundle_is_refused(bundle, some, tmp_path, capsys):
    folder = shutil.copytree(bundle, tmp_path / "damaged")
    with (folder / "members" / "0" / "model.safetensors").open("ab") as file:
        file.write(b"\0")
    assert main([str(folder), "--images", str(some), "--out", str(tmp_path / "out.csv")]) == 2
    assert "expected the content that was written, got a damaged file" in capsys.readouterr().err
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
def test_a_gpu_that_is_not_there_is_refused(bundle, some, tmp_path, capsys):
    out = str(tmp_path / "out.csv")
    assert main([str(bundle), "--images", str(some), "--out", out, "--device", "cuda"]) == 2
    assert capsys.readouterr().err == "--device: expected a CUDA device, got a machine without.\n"


def test_of_new_images_the_same_centre_is_used_as_in_training(coloured_data, tmp_path, export_one):
    config = {"backbone/name": "test_resnet", "resize": "32x24", "optimizer/name": "adamw"}
    data = replace(coloured_data, crop=(24, 20))
    bundle, recorded = export_one(config | {"optimizer/lr": 0.01, "epochs": 1}, data)
    assert read_bundle(bundle).manifest.data.crop == (24, 20)
    table = predict(bundle, data.index.root, tmp_path / "out.csv").set_index("path")
    probabilities = table.loc[data.index.table["path"], PROBABILITIES].to_numpy()
    np.testing.assert_allclose(probabilities[recorded["rows"]], recorded["probs"], atol=1e-4)

import json
import re
import shutil
import subprocess
import sys

import numpy as np
import onnx
import pytest
import torch

from analysis.bundle import read_bundle
from analysis.export import main as export
from analysis.formats.names import TO_WRITE, check_packages
from analysis.formats.reading import read_graph
from analysis.formats.writing import NUM_CHECKED, Said, check_formats, write_formats
from analysis.member import Member
from analysis.predict import main as predict
from trainable.config import parse_config
from trainable.data.index import Attribute, LabelSpace
from trainable.errors import ConfigError
from trainable.model import build_classifier

CPU = torch.device("cpu")
LABELS = LabelSpace(
    ("a", "b", "c", "d"),
    {"x": Attribute(("1", "2"), (0, 0, 1, 1)), "y": Attribute(("1", "2"), (0, 1, 0, 1))},
)


def untrained(backbone, head, size):
    config = {"backbone/name": backbone, "head/name": head, "resize": size, "epochs": 1}
    config |= {"optimizer/name": "adamw", "optimizer/lr": 0.01}
    parsed = parse_config(config)
    torch.manual_seed(0)
    return Member(parsed, build_classifier(parsed, LABELS, load_pretrained=False).eval(), CPU)


def said_by(member):
    shape = (NUM_CHECKED, *member.config.resize, 3)
    images = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    return Said(images, member.probabilities(images, np.arange(NUM_CHECKED)))


NETWORKS = [
    ("test_efficientnet", "linear", "32x24"),
    ("test_resnet", "shallow", "40x40"),
    ("test_convnext", "deep", "64x48"),
    ("test_vit", "multi", "160x160"),
]


@pytest.mark.parametrize("name", ["torch-export", pytest.param("onnx", marks=pytest.mark.slow)])
@pytest.mark.parametrize(("backbone", "head", "size"), NETWORKS)
def test_backbones_heads_and_sizes_can_be_exported(tmp_path, backbone, head, size, name):
    member = untrained(backbone, head, size)
    said = said_by(member)
    write_formats(member, LABELS.classes, tmp_path, [name])
    check_formats(tmp_path, [name], said, "0000")


@pytest.mark.parametrize("name", ["onnx", "torch-export"])
def test_a_format_that_says_something_else_is_refused(graphs, coloured_data, name):
    entry = read_bundle(graphs).manifest.members[0]
    images = np.zeros((NUM_CHECKED, *entry.size, 3), np.uint8)
    said = Said(images, np.full((NUM_CHECKED, 3), np.nan, np.float32))
    message = f"trial 0000 as {name}: expected what model.safetensors says to 0.0001, got a diff"
    with pytest.raises(ConfigError, match=message):
        check_formats(graphs / entry.folder, [name], said, "0000")


def test_an_onnx_file_tells_a_server_all_it_needs_and_not_where_it_was_made(graphs):
    file = graphs / "members" / "0" / "model.onnx"
    model = onnx.load(file, load_external_data=False)
    onnx.checker.check_model(model)
    assert {p.key: json.loads(p.value) for p in model.metadata_props} == {
        "classes": ["blue", "green", "red"]
    }
    assert model.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"
    assert b".py" not in file.read_bytes()


def test_the_manifest_and_the_card_name_the_formats(graphs):
    manifest = read_bundle(graphs).manifest
    assert manifest.formats == ("safetensors", "onnx", "torch-export")
    assert {"members/0/model.onnx", "members/0/model.pt2"} <= set(manifest.files)
    card = (graphs / "card.md").read_text()
    assert "`model.onnx` is a member for onnxruntime" in card
    assert "`model.pt2` is a member for `torch.export.load`" in card


@pytest.mark.parametrize("name", ["model.onnx", "model.pt2"])
def test_a_damaged_or_missing_graph_is_refused(graphs, tmp_path, name):
    copy = shutil.copytree(graphs, tmp_path / "copy")
    file = copy / "members" / "0" / name
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(ConfigError, match=f"{name}: expected the content that was written"):
        read_bundle(copy)
    file.unlink()
    with pytest.raises(ConfigError, match=f"{name}: expected a file of the bundle, got none"):
        read_bundle(copy)


@pytest.mark.parametrize("name", ["onnx", "torch-export"])
def test_a_bundle_without_a_format_says_how_to_make_it(
    bundle, coloured_data, tmp_path, capsys, name
):
    images = str(coloured_data.index.root / "photos")
    out = tmp_path / "out.csv"
    assert predict([str(bundle), "--images", images, "--out", str(out), "--format", name]) == 2
    wanted = (
        f"{bundle}: expected a bundle with {name}, got one with safetensors. Make one by "
        f"analysis.export or analysis.ensemble with --format {name}.\n"
    )
    assert capsys.readouterr().err == wanted


@pytest.mark.parametrize("name", ["onnx", "torch-export"])
def test_a_graph_for_other_images_or_classes_is_refused(graphs, name):
    entry = read_bundle(graphs).manifest.members[0]
    file = graphs / entry.folder / {"onnx": "model.onnx", "torch-export": "model.pt2"}[name]
    with pytest.raises(ConfigError, match=f"expected a network as {name} for images 9x9, got"):
        read_graph(file, name, CPU, shape=(9, 9, 3))
    with pytest.raises(ConfigError, match="expected probabilities of 7 classes, got 3"):
        read_graph(file, name, CPU, shape=(*entry.size, 7))


def test_an_onnx_file_that_keeps_its_weights_elsewhere_is_refused(graphs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = onnx.load(graphs / "members" / "0" / "model.onnx")
    onnx.save_model(
        model, "m.onnx", save_as_external_data=True, location="weights", size_threshold=0
    )
    with pytest.raises(ConfigError, match=r"m\.onnx: expected a network as onnx"):
        read_graph(tmp_path / "m.onnx", "onnx", CPU, shape=(32, 24, 3))


def test_a_backbone_that_cannot_be_exported_is_one_line_and_names_it(tmp_path):
    member = untrained("test_resnet", "linear", "32x24")
    member.model.forward = lambda images: member.model.head(images if images.sum() else None)
    with pytest.raises(ConfigError, match=r"expected a backbone that can be .*got test_resnet: '"):
        write_formats(member, LABELS.classes, tmp_path, ["onnx"])
    assert not list(tmp_path.iterdir())


def test_missing_packages_are_named_before_anything_is_computed():
    script = (
        "import sys; sys.modules['onnxruntime'] = None; from analysis.export import main;"
        "sys.exit(main(['no-run', '--out', 'no-bundle', '--format', 'onnx']))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], check=False, capture_output=True, text=True
    )
    assert ended.returncode == 2
    assert ended.stderr == (
        "--format onnx: expected the packages onnx, onnxscript, onnxruntime, got no onnxruntime. "
        "Try: pip install onnxruntime\n"
    )
    check_packages(TO_WRITE, ["safetensors", "torch-export"])


def test_an_unknown_format_is_refused(trained_run, tmp_path, capsys):
    assert export([str(trained_run), "--out", str(tmp_path / "x"), "--format", "onx"]) == 2
    error = capsys.readouterr().err
    assert re.search(r"--format: expected a known value, got 'onx'\. Did you mean 'onnx'", error)

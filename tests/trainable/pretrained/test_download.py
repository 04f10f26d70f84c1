"""The command that fills a folder, with a hub of this machine."""

import pytest
import torch
from huggingface_hub import constants

from trainable.backbones import Backbone
from trainable.pretrained.download import main


def test_a_folder_that_it_fills_stands_for_the_hub(hub, tmp_path, capsys, monkeypatch):
    folder = tmp_path / "weights"
    assert main(["--out", str(folder), "test_resnet"]) == 0
    assert "test_resnet.safetensors: " in capsys.readouterr().out
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    backbone = Backbone(name="test_resnet", pretrained="hub")
    loaded = backbone.build((64, 48), load_pretrained=True, weights_dir=folder)
    assert torch.equal(loaded.conv1[0].weight, hub.module.conv1[0].weight)


def test_what_is_there_is_not_downloaded_again(hub, tmp_path, capsys):
    assert main(["--out", str(tmp_path), "test_resnet"]) == 0
    assert main(["--out", str(tmp_path), "test_resnet"]) == 0
    assert hub.num_downloads == 1
    assert capsys.readouterr().out.endswith("there already\n")


def test_all_names_that_cannot_be_had_are_named_before_anything_is_downloaded(
    hub, tmp_path, capsys
):
    names = ["test_resnet", "swin_small", "efficientnet_b6"]
    assert main(["--out", str(tmp_path), *names]) == 2
    unknown, without = capsys.readouterr().err.splitlines()
    assert unknown == (
        "NAME: expected a timm model, such as swin_small_patch4_window7_224, "
        + unknown.partition("224, ")[2]
    )
    assert without.startswith("backbone/pretrained: expected weights of efficientnet_b6 on the hu")
    assert hub.num_downloads == 0


def test_a_machine_without_network_is_told(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert main(["--out", str(tmp_path), "test_resnet"]) == 2
    assert "expected weights of test_resnet from the hub, got" in capsys.readouterr().err


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_a_folder_that_cannot_be_written_is_refused(hub, tmp_path, capsys, place):
    (tmp_path / "file").touch()
    assert main(["--out", str(tmp_path / place), "test_resnet"]) == 2
    assert "--out: expected a folder that can be written to, got" in capsys.readouterr().err

"""Weights in files: under which names, read how, refused why."""

from pathlib import Path

import pytest
import torch

from trainable.backbones import Backbone
from trainable.errors import ConfigError
from trainable.pretrained.local_files import file_in_folder, names_in_folder, read_weights

SIZE = (64, 48)
TAGGED = "test_resnet.r160_in1k"


def test_a_name_without_a_tag_stands_for_timms_default_one():
    assert names_in_folder("convnext_tiny") == (
        "convnext_tiny.safetensors",
        "convnext_tiny/model.safetensors",
        "convnext_tiny.in12k_ft_in1k.safetensors",
        "convnext_tiny.in12k_ft_in1k/model.safetensors",
    )


def test_a_name_with_a_tag_stands_for_no_other():
    assert names_in_folder("convnext_tiny.fb_in22k_ft_in1k") == (
        "convnext_tiny.fb_in22k_ft_in1k.safetensors",
        "convnext_tiny.fb_in22k_ft_in1k/model.safetensors",
    )


@pytest.mark.parametrize("name", ["test_resnet", TAGGED])
@pytest.mark.parametrize("place", [f"{TAGGED}.safetensors", f"{TAGGED}/model.safetensors"])
def test_weights_are_found_by_name_or_as_the_hub_lays_them_out(
    tmp_path, save_weights, name, place
):
    module = save_weights("test_resnet", tmp_path / place)
    backbone = Backbone(name=name, pretrained="hub")
    assert backbone.weights_file(tmp_path) == tmp_path / place
    loaded = backbone.build(SIZE, load_pretrained=True, weights_dir=tmp_path)
    assert torch.equal(loaded.conv1[0].weight, module.conv1[0].weight)


def test_of_several_the_name_itself_comes_first(tmp_path):
    for place in ("test_resnet.safetensors", f"{TAGGED}.safetensors"):
        (tmp_path / place).touch()
    assert file_in_folder(tmp_path, "test_resnet").name == "test_resnet.safetensors"
    assert file_in_folder(tmp_path, TAGGED).name == f"{TAGGED}.safetensors"


def test_a_folder_without_the_weights_is_refused_with_the_names_expected(tmp_path):
    backbone = Backbone(name=TAGGED, pretrained="hub")
    with pytest.raises(
        ConfigError,
        match=rf"expected weights of {TAGGED} in {tmp_path}, got none. Put them there as "
        rf"{TAGGED}.safetensors or {TAGGED}/model.safetensors",
    ):
        backbone.build(SIZE, load_pretrained=True, weights_dir=tmp_path)


def test_a_folder_of_weights_stands_for_the_hub_alone(tmp_path):
    assert Backbone(name="test_resnet").weights_file(tmp_path) is None
    small = Backbone(name="test_efficientnet", pretrained="small").weights_file(tmp_path)
    assert small is not None
    assert small.name == "small.safetensors"


def test_a_model_that_the_hub_lacks_may_be_in_the_folder(tmp_path):
    (tmp_path / "efficientnet_b6.safetensors").touch()
    backbone = Backbone(name="efficientnet_b6", pretrained="hub")
    assert backbone.weights_file(tmp_path) == tmp_path / "efficientnet_b6.safetensors"
    with pytest.raises(ConfigError, match="expected weights of efficientnet_b6 on the hub"):
        backbone.weights_file()


def test_without_loading_the_folder_need_not_exist(tmp_path):
    backbone = Backbone(name="test_resnet", pretrained="hub")
    backbone.build(SIZE, load_pretrained=False, weights_dir=tmp_path / "gone")


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="reads Linux's list of mappings")
def test_a_file_is_mapped_into_memory_while_it_is_read(tmp_path, save_weights):
    file = tmp_path / "test_resnet.safetensors"
    save_weights("test_resnet", file)
    weights = read_weights("test_resnet", file)
    assert str(file) in Path("/proc/self/maps").read_text()
    assert "conv1.0.weight" in weights
    assert not {"fc.weight", "fc.bias"} & weights.keys()
    del weights
    assert str(file) not in Path("/proc/self/maps").read_text()


def test_a_model_keeps_no_file_mapped(tmp_path, save_weights):
    file = tmp_path / "test_resnet.safetensors"
    save_weights("test_resnet", file)
    backbone = Backbone(name="test_resnet", pretrained="hub")
    module = backbone.build(SIZE, load_pretrained=True, weights_dir=tmp_path)
    file.write_bytes(b"\0" * file.stat().st_size)
    assert module.conv1[0].weight.abs().sum() > 0

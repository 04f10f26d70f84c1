"""Backbones: which there are, at which sizes, from which weights, in which layers."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch
from huggingface_hub import constants
from pydantic import ValidationError
from safetensors.torch import load_file, save_file

from trainable.backbones import (
    Backbone,
    check_size,
    layer_groups,
    normalisation,
    num_features,
)
from trainable.errors import ConfigError
from trainable.freezing.apply import apply_freeze
from trainable.pretrained import local_files
from trainable.pretrained.local_files import SMALL
from trainable.timm_import import timm

SIZE = (64, 48)
TESTED = ["test_efficientnet", "test_resnet", "test_convnext", "test_vit"]
# Those of the full space.
LARGE = [
    "convnext_tiny",
    "convnext_small",
    "swin_small_patch4_window7_224",
    "swin_base_patch4_window7_224",
    "efficientnet_b2",
    "efficientnet_b6",
    "tf_efficientnetv2_l",
    "densenet121",
    "densenet201",
    "resnext50_32x4d",
    "resnext101_32x8d",
]
# One of each architecture.
ARCHITECTURES = [
    "convnext_tiny",
    "swin_small_patch4_window7_224",
    "efficientnet_b2",
    "densenet121",
    "resnext50_32x4d",
    "test_vit",
]


def build(name, size=SIZE, pretrained="none", *, load_pretrained=True):
    backbone = Backbone(name=name, pretrained=str(pretrained))
    return backbone.build(size, load_pretrained=load_pretrained)


def build_meta(name, size=SIZE):
    with torch.device("meta"):
        return build(name, size, load_pretrained=False)


@pytest.mark.parametrize("name", LARGE)
def test_backbones_of_the_full_space_take_the_larger_of_its_sizes(name):
    check_size(name, (256, 192))


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_layers_are_in_the_order_of_computation_and_freeze_as_a_front(name):
    module = build_meta(name, (128, 96))
    groups = layer_groups(module)
    first = len(groups) // 2
    apply_freeze(module, groups, first)
    with torch.device("meta"):
        module(torch.empty(2, 3, 128, 96)).sum().backward()
    reached = [all(p.grad is not None for _, p in group) for group in groups]
    assert reached == [layer >= first for layer in range(len(groups))]
    for path, part in module.named_modules():
        own = list(part.parameters(recurse=False))
        assert not own or part.training == any(p.requires_grad for p in part.parameters()), path


@pytest.mark.parametrize("name", TESTED)
def test_features_come_out_and_gradients_come_back(name):
    module = build(name)
    features = module.train()(torch.rand(2, 3, *SIZE))
    assert features.shape == (2, num_features(module))
    features.sum().backward()
    assert all(p.grad is not None for p in module.parameters())


@pytest.mark.parametrize("name", TESTED)
def test_every_parameter_is_in_one_layer(name):
    module = build(name)
    groups = layer_groups(module)
    names = [name for group in groups for name, _ in group]
    assert sorted(names) == sorted(name for name, _ in module.named_parameters())
    assert len(groups) > 3


def test_a_model_whose_layers_timm_does_not_know_is_one_group():
    module = build_meta("poolformer_s12")
    assert [len(group) for group in layer_groups(module)] == [len(list(module.parameters()))]


def test_the_width_of_features_is_that_after_a_model_s_last_layers():
    module = build_meta("ghostnet_100")
    assert num_features(module) == 1280


@pytest.mark.parametrize("name", ["test_efficientnet", "test_vit", "tf_efficientnetv2_l"])
def test_normalisation_is_that_of_the_models_weights(name):
    pretrained_cfg = timm.get_pretrained_cfg(name)
    mean, std = normalisation(build_meta(name))
    assert (mean, std) == (pretrained_cfg.mean, pretrained_cfg.std)


def test_checking_the_size_does_not_change_what_is_drawn_next():
    torch.manual_seed(3)
    first = build("test_convnext", (40, 56))
    torch.manual_seed(3)
    second = build("test_convnext", (40, 56))
    pairs = zip(first.parameters(), second.parameters(), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)


@pytest.mark.parametrize(
    ("name", "size", "reason"),
    [
        ("test_vit", (33, 47), "divisible by patch size"),
        ("densenet121", (16, 16), "Output size is too small"),
        ("nest_tiny", (128, 96), "only handles square inputs"),
    ],
)
def test_a_size_that_the_model_cannot_take_is_refused(name, size, reason):
    message = rf"resize: expected a size that {name} can take, got {size[0]}x{size[1]}\..*{reason}"
    with pytest.raises(ConfigError, match=message):
        check_size(name, size)
    with pytest.raises(ConfigError, match=reason):
        build(name, size, load_pretrained=False)


@pytest.mark.parametrize(
    ("short", "name"),
    [
        ("swin_small", "swin_small_patch4_window7_224"),
        ("swin_base", "swin_base_patch4_window7_224"),
        ("resnext101", "resnext101_32x4d"),
    ],
)
def test_a_short_name_is_answered_with_the_models_that_begin_so(short, name):
    with pytest.raises(ValidationError, match=rf"a timm model, such as {name}, "):
        Backbone(name=short)


def test_an_unknown_model_is_refused_with_at_most_five_that_are_near():
    with pytest.raises(ValidationError, match="a timm model, such as convnext_tiny") as caught:
        Backbone(name="convnext_tyni")
    names = caught.value.errors()[0]["msg"].partition(" such as ")[2].split(", ")
    assert len(names) == 5
    assert all(timm.is_model(name) for name in names)


def test_a_name_like_no_other_is_refused_without_suggestions():
    with pytest.raises(ValidationError, match=r"Value error, a timm model \["):
        Backbone(name="!")


def test_unknown_weights_of_a_known_model_are_refused():
    with pytest.raises(ValidationError, match=r"one of .*densenet121\.ra_in1k"):
        Backbone(name="densenet121.nope")
    assert Backbone(name="densenet121.ra_in1k").name == "densenet121.ra_in1k"


def saved(name, path, *, half=False, size=SIZE):
    """Write the weights of a model with a classifier, and return the features that they give."""
    torch.manual_seed(5)
    arguments = {"img_size": size} if name == "test_vit" else {}
    module = timm.create_model(name, num_classes=7, **arguments).eval()
    weights = {n: v.half() if half and v.ndim else v for n, v in module.state_dict().items()}
    save_file({n: v.contiguous() for n, v in weights.items()}, path)
    return module


@pytest.mark.parametrize("name", TESTED)
def test_weights_come_from_a_file_but_for_the_classifier(tmp_path, name):
    module = saved(name, tmp_path / "mine.safetensors")
    loaded = build(name, pretrained=tmp_path / "mine.safetensors").eval()
    images = torch.rand(2, 3, *SIZE)
    expected = module.forward_head(module.forward_features(images), pre_logits=True)
    assert torch.equal(loaded(images), expected)
    assert "state_dict" not in loaded.pretrained_cfg


def test_weights_come_from_a_folder_by_the_models_name(tmp_path):
    module = saved("test_resnet", tmp_path / "test_resnet.safetensors")
    loaded = build("test_resnet", pretrained=tmp_path)
    assert torch.equal(loaded.conv1[0].weight, module.conv1[0].weight)


def test_half_precision_weights_become_full_ones(tmp_path):
    module = saved("test_resnet", tmp_path / "mine.safetensors", half=True)
    loaded = build("test_resnet", pretrained=tmp_path / "mine.safetensors")
    assert torch.equal(loaded.conv1[0].weight, module.conv1[0].weight.half().float())
    assert {v.dtype for v in loaded.state_dict().values()} == {torch.float32, torch.int64}


def test_tables_of_positions_are_fitted_to_another_size(tmp_path):
    saved("test_vit", tmp_path / "mine.safetensors", size=(160, 160))
    loaded = build("test_vit", (64, 48), tmp_path / "mine.safetensors")
    assert loaded.pos_embed.shape[1] == 4 * 3 + 1


def test_without_loading_the_file_need_not_exist():
    build("test_resnet", pretrained="gone.safetensors", load_pretrained=False)


def test_a_relative_path_holds_in_other_folders_too(tmp_path, monkeypatch):
    saved("test_resnet", tmp_path / "mine.safetensors")
    monkeypatch.chdir(tmp_path)
    backbone = Backbone(name="test_resnet", pretrained="mine.safetensors")
    assert backbone.pretrained == str(tmp_path / "mine.safetensors")
    monkeypatch.chdir("/")
    backbone.build(SIZE, load_pretrained=True)


def test_a_link_to_weights_keeps_its_name(tmp_path, monkeypatch):
    (tmp_path / "blob").touch()
    (tmp_path / "mine.safetensors").symlink_to("blob")
    monkeypatch.chdir(tmp_path)
    backbone = Backbone(name="test_resnet", pretrained="mine.safetensors")
    assert backbone.pretrained == str(tmp_path / "mine.safetensors")


@pytest.mark.parametrize("word", ["none", "hub", "small"])
def test_a_folder_named_like_a_word_is_not_meant_by_it(tmp_path, monkeypatch, word):
    (tmp_path / word).mkdir()
    monkeypatch.chdir(tmp_path)
    assert Backbone(name="test_resnet", pretrained=word).pretrained == word


def refusal(name, pretrained):
    with pytest.raises(ConfigError, match="backbone/pretrained: expected") as caught:
        build(name, pretrained=pretrained)
    return str(caught.value)


def test_a_file_that_is_not_there_is_refused():
    problem = refusal("test_resnet", "gone.safetensors")
    assert "expected a file that exists, got gone.safetensors." in problem


def test_a_folder_that_is_not_there_is_refused():
    problem = refusal("test_resnet", "gone")
    assert "expected weights of test_resnet in gone, got no such folder." in problem


def test_another_models_weights_are_refused_by_name(tmp_path):
    saved("test_resnet", tmp_path / "mine.safetensors")
    problem = refusal("test_efficientnet", tmp_path / "mine.safetensors")
    assert "expected weights of test_efficientnet in" in problem
    assert "none by the name of blocks.0.0.bn1.bias and" in problem
    assert "; unknown conv1.0.weight and" in problem
    assert "; of another shape bn1.bias and" in problem


def test_weights_with_one_missing_are_refused_by_its_name(tmp_path):
    file = tmp_path / "mine.safetensors"
    saved("test_resnet", file)
    weights = load_file(file)
    del weights["conv1.0.weight"]
    save_file(weights, file)
    problem = refusal("test_resnet", file)
    assert problem.endswith("got none by the name of conv1.0.weight.")


def test_a_file_of_another_kind_is_refused(tmp_path):
    file = tmp_path / "mine.safetensors"
    file.write_bytes(b"not tensors at all")
    assert "expected a safetensors file, got" in refusal("test_resnet", file)


def test_hub_weights_that_timm_does_not_have_are_refused():
    problem = refusal("efficientnet_b6", "hub")
    assert "expected weights of efficientnet_b6 on the hub, got none" in problem


@pytest.fixture
def empty_hub(tmp_path, monkeypatch):
    """A hub that has nothing, and says so in the way that it is asked to."""

    class Hub(BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.send_response(404)
            self.send_header("X-Error-Code", self.server.code)
            self.end_headers()

        def log_message(self, *arguments):
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        url = f"http://127.0.0.1:{server.server_port}/{{repo_id}}/{{revision}}/{{filename}}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", url)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.mark.parametrize("code", ["EntryNotFound", "RepoNotFound", "RevisionNotFound"])
def test_weights_that_are_not_on_the_hub_are_refused(empty_hub, code):
    empty_hub.code = code
    assert "expected weights of test_resnet on the hub, got" in refusal("test_resnet", "hub")


def test_a_hub_that_cannot_be_reached_may_be_tried_again(tmp_path, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(OSError, match=r"expected weights of test_resnet from the hub, .*Without"):
        build("test_resnet", pretrained="hub")


def test_the_small_start_fits_its_own_model():
    name = json.loads(SMALL.with_suffix(".json").read_text())["backbone"]
    loaded = build(name, pretrained="small")
    weights, state = load_file(SMALL), loaded.state_dict()
    assert all(key.endswith("num_batches_tracked") for key in state.keys() - weights.keys())
    common = state.keys() & weights.keys()
    assert all(torch.equal(state[key], weights[key].float()) for key in common)


def test_the_small_start_fits_no_other_model():
    assert "expected none, hub or a path for test_vit, got 'small'" in refusal("test_vit", "small")


def test_an_installation_without_the_small_start_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(local_files, "SMALL", tmp_path / "small.safetensors")
    problem = refusal("test_resnet", "small")
    assert "expected the small start of this product, got none" in problem
    assert "small.json: No such file or directory). Install it anew" in problem


def test_building_without_memory_is_quick():
    def build_s():
        start = time.process_time()
        build_meta("convnext_tiny")
        return time.process_time() - start

    # 0.17 s where it was measured; the dry run of a space does it hundreds of times. What else
    # runs on the machine makes some of them slower.
    assert min(build_s() for _ in range(4)) < 1

"""The backbones that large searches are made of: each is built and takes a real step."""

import pytest
import torch
from safetensors.torch import save_file

from trainable.backbones import Backbone
from trainable.config import parse_config
from trainable.data.index import LabelSpace
from trainable.model import build_classifier
from trainable.timm_import import timm

pytestmark = pytest.mark.slow

LIGHT = ["convnext_tiny", "efficientnet_b2", "densenet121", "resnext50_32x4d"]
HEAVY = [
    "convnext_small",
    "swin_small_patch4_window7_224",
    "swin_base_patch4_window7_224",
    "efficientnet_b6",
    "tf_efficientnetv2_l",
    "densenet201",
    "resnext101_32x8d",
]
LABELS = LabelSpace(("a", "b", "c"))


# That the heavy ones take 256x192 too is known without computing: see test_backbones.
@pytest.mark.parametrize(
    ("name", "resize"),
    [(name, "128x96") for name in [*LIGHT, *HEAVY]] + [(name, "256x192") for name in LIGHT],
)
def test_a_real_step_reaches_every_parameter(name, resize):
    torch.manual_seed(1)
    config = parse_config({"backbone/name": name, "resize": resize, "optimizer/name": "sgd"})
    model = build_classifier(config, LABELS, load_pretrained=False).train()
    optimizer = config.optimizer.build(model.layer_groups())
    first = next(model.parameters()).detach().clone()
    images_NHWC = torch.randint(0, 256, (2, *config.resize, 3), dtype=torch.uint8)
    loss = config.loss.build()(model(images_NHWC), torch.tensor([[1.0, 0, 0], [0, 0.6, 0.4]]))
    loss.backward()
    optimizer.step()
    assert loss.isfinite()
    gradients = {n: p.grad for n, p in model.named_parameters()}
    assert [n for n, g in gradients.items() if g is None or not g.isfinite().all()] == []
    assert not torch.equal(next(model.parameters()), first)


@pytest.mark.parametrize("name", [*LIGHT, "swin_small_patch4_window7_224"])
def test_weights_from_a_folder_become_those_that_timm_makes_of_them(name, tmp_path):
    file = tmp_path / f"{name}.safetensors"
    whole = timm.create_model(name)
    save_file({n: v.contiguous() for n, v in whole.state_dict().items()}, file)
    backbone = Backbone(name=name, pretrained="hub")
    ours = backbone.build((128, 96), load_pretrained=True, weights_dir=tmp_path).state_dict()
    size = {"img_size": (128, 96)} if name.startswith("swin") else {}
    overlay = {"file": str(file)}
    theirs = timm.create_model(
        name, pretrained=True, pretrained_cfg_overlay=overlay, num_classes=0, **size
    ).state_dict()
    assert ours.keys() == theirs.keys()
    assert [key for key in ours if not torch.equal(ours[key], theirs[key])] == []

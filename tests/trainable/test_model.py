import pytest
import torch

from trainable.data.index import LabelSpace
from trainable.model import build_classifier

LABELS = LabelSpace(("a", "b", "c"))


@pytest.fixture
def model(config):
    torch.manual_seed(0)
    return build_classifier(config(), LABELS, load_pretrained=False).eval()


def test_pixels_become_logits(model):
    images = torch.randint(0, 256, (2, 32, 24, 3), dtype=torch.uint8)
    logits = model(images)
    assert logits.shape == (2, 3)
    assert logits.dtype == torch.float32


def test_normalisation_is_timms(model):
    images = torch.randint(0, 256, (2, 32, 24, 3), dtype=torch.uint8)
    # ImageNet's, which timm names for this model.
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    normalised = ((images / 255 - mean) / std).permute(0, 3, 1, 2)
    by_hand = model.head(model.backbone(normalised))
    torch.testing.assert_close(model(images), by_hand, atol=1e-5, rtol=1e-5)


def test_normalisation_travels_with_the_weights(model):
    assert {"mean", "std"} <= model.state_dict().keys()


def test_layer_groups_hold_every_parameter_once_and_end_with_the_head(model):
    groups = model.layer_groups()
    named = [id(p) for group in groups for _, p in group]
    assert sorted(named) == sorted(id(p) for p in model.parameters())
    assert all(name.startswith("head.") for name, _ in groups[-1])


def test_it_builds_without_memory_on_the_meta_device(config):
    with torch.device("meta"):
        model = build_classifier(config(), LABELS, load_pretrained=False)
    assert all(p.is_meta for p in model.parameters())

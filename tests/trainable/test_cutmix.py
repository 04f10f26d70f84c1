"""CutMix: pixels and targets of mixed batches."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from trainable.cutmix import Box, CutMix, Mixing, NoMixing, draw_box, paste
from trainable.part import members

NUM_IMAGES, HEIGHT, WIDTH = 6, 20, 14

every_mixing = pytest.mark.parametrize(
    "part", [part() for part in members(Mixing)], ids=lambda part: part.name
)
DEVICES = [
    "cpu",
    pytest.param(
        "cuda",
        marks=[
            pytest.mark.gpu,
            pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
        ],
    ),
]


def numbered_images(device="cpu"):
    """Images whose every pixel is the image's number."""
    numbers_N = torch.arange(NUM_IMAGES, dtype=torch.uint8, device=device)
    return numbers_N[:, None, None, None].repeat(1, HEIGHT, WIDTH, 3)


def numbered_targets(device="cpu"):
    return torch.eye(NUM_IMAGES, device=device)


def shares_of_pixels(images_NHWC):
    """Share of pixels by the image that they came from, [num_images, num_images]."""
    numbers_NP = images_NHWC[..., 0].flatten(1)
    return torch.stack([(numbers_NP == i).float().mean(1) for i in range(NUM_IMAGES)], dim=1)


@every_mixing
@pytest.mark.parametrize("device", DEVICES)
def test_targets_are_the_exact_shares_of_pixels(part, device):
    rng = np.random.default_rng(0)
    for _ in range(50):
        images_NHWC = numbered_images(device)
        targets_NC = part.build()(images_NHWC, numbered_targets(device), rng)
        torch.testing.assert_close(targets_NC, shares_of_pixels(images_NHWC))


@every_mixing
def test_soft_targets_stay_soft_targets(part):
    targets_NC = torch.softmax(torch.arange(18.0).reshape(NUM_IMAGES, 3).cos(), dim=1)
    before_NC = targets_NC.clone()
    mixed_NC = part.build()(numbered_images(), targets_NC, np.random.default_rng(1))
    torch.testing.assert_close(mixed_NC.sum(1), torch.ones(NUM_IMAGES))
    assert mixed_NC.dtype == targets_NC.dtype
    assert torch.equal(targets_NC, before_NC)


@every_mixing
def test_the_same_generator_mixes_alike(part):
    def mixed(seed):
        images_NHWC = numbered_images()
        rng = np.random.default_rng(seed)
        return images_NHWC, part.build()(images_NHWC, numbered_targets(), rng)

    for one, other in zip(mixed(4), mixed(4), strict=True):
        assert torch.equal(one, other)


@every_mixing
def test_torchs_random_state_is_neither_read_nor_moved(part):
    before = torch.get_rng_state()
    part.build()(numbered_images(), numbered_targets(), np.random.default_rng(1))
    assert torch.equal(torch.get_rng_state(), before)


@every_mixing
def test_a_batch_of_one_is_left_as_it_is(part):
    images_NHWC = numbered_images()[3:4]
    targets_NC = part.build()(images_NHWC, numbered_targets()[3:4], np.random.default_rng(0))
    assert (images_NHWC == 3).all()
    torch.testing.assert_close(targets_NC, numbered_targets()[3:4])


def test_none_changes_nothing():
    images_NHWC, targets_NC = numbered_images(), numbered_targets()
    assert NoMixing().build()(images_NHWC, targets_NC, np.random.default_rng(0)) is targets_NC
    assert torch.equal(images_NHWC, numbered_images())


def test_images_are_mixed_in_place_one_box_a_batch():
    images_NHWC = numbered_images()
    CutMix(probability=1.0).build()(images_NHWC, numbered_targets(), np.random.default_rng(5))
    changed_NHW = (images_NHWC != numbered_images()).any(dim=3)
    box_HW = changed_NHW.any(dim=0)
    rows, columns = box_HW.any(1).nonzero(), box_HW.any(0).nonzero()
    assert changed_NHW.any()
    assert box_HW[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1].all()
    assert all(torch.equal(c, box_HW) for c in changed_NHW if c.any())


def test_a_share_of_the_batches_is_mixed():
    mix, rng = CutMix(probability=0.3).build(), np.random.default_rng(0)
    targets_NC = numbered_targets()
    mixed = sum(mix(numbered_images(), targets_NC, rng) is not targets_NC for _ in range(2000))
    assert mixed / 2000 == pytest.approx(0.3, abs=0.03)


def test_the_mean_share_pasted_is_a_half_less_what_the_border_cuts_off():
    # For a box that keeps the share k: E[cut-off area] by both sides is (1 - s / 4)^2 s^2 with
    # s = sqrt(1 - k); over uniform k that is 1/2 - 1/5 + 1/48.
    rng = np.random.default_rng(2)
    boxes = [draw_box(96, 72, kept=rng.random(), rng=rng) for _ in range(20_000)]
    share = np.mean([box.num_pixels for box in boxes]) / (96 * 72)
    assert share == pytest.approx(1 / 2 - 1 / 5 + 1 / 48, abs=0.01)


@pytest.mark.parametrize("kept", [0.0, 0.3, 1.0])
def test_boxes_lie_within_the_image(kept):
    rng = np.random.default_rng(0)
    for _ in range(200):
        box = draw_box(HEIGHT, WIDTH, kept=kept, rng=rng)
        assert 0 <= box.top <= box.bottom <= HEIGHT
        assert 0 <= box.left <= box.right <= WIDTH


def test_a_box_that_keeps_everything_is_empty():
    assert draw_box(HEIGHT, WIDTH, kept=1.0, rng=np.random.default_rng(0)).num_pixels == 0


@pytest.mark.parametrize("device", DEVICES)
def test_pasting_reads_the_images_as_they_were(device):
    # A chain 0 <- 1 <- 2 <- 0: were rows written before they are read, a box would come back.
    images_NHWC = numbered_images(device)[:3]
    box = Box(top=2, bottom=5, left=1, right=3)
    paste(images_NHWC, box, torch.tensor([1, 2, 0], device=device))
    assert images_NHWC[:, 2:5, 1:3].flatten(1).unique(dim=1).flatten().tolist() == [1, 2, 0]
    assert images_NHWC[:, :2].flatten(1).unique(dim=1).flatten().tolist() == [0, 1, 2]
    assert images_NHWC[:, :, 3:].flatten(1).unique(dim=1).flatten().tolist() == [0, 1, 2]


def test_pixels_that_do_not_lie_in_row_order_are_mixed_too():
    images_NHWC = numbered_images().permute(0, 3, 1, 2).contiguous().permute(0, 2, 3, 1)
    mix = CutMix(probability=1.0).build()
    targets_NC = mix(images_NHWC, numbered_targets(), np.random.default_rng(3))
    torch.testing.assert_close(targets_NC, shares_of_pixels(images_NHWC))


@pytest.mark.parametrize(
    ("field", "value"), [("probability", 0.0), ("probability", 1.1), ("beta", 0.0)]
)
def test_values_without_meaning_are_refused(field, value):
    with pytest.raises(ValidationError, match=r"greater than 0|less than or equal to 1"):
        CutMix(**{field: value})

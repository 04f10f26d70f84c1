"""What every loss of the family keeps to."""

import copy
import pickle

import pytest
import torch

from trainable.losses import Loss
from trainable.losses.focal import Focal
from trainable.losses.focal_label_smoothing import FocalLabelSmoothing
from trainable.part import members

# Beside the defaults: the gammas whose slope at certainty is infinite or jumps.
LOSSES = [
    *(part() for part in members(Loss)),
    Focal(gamma=0.3),
    Focal(gamma=1.0),
    FocalLabelSmoothing(gamma=0.3, smoothing=0.2),
]

every_loss = pytest.mark.parametrize("part", LOSSES, ids=str)

LOGITS_NC = torch.tensor(
    [[2.0, -1.0, 0.5, 0.1], [0.3, 0.2, -2.0, 1.5], [-0.7, 3.0, 0.0, -1.1]], dtype=torch.float64
)
TARGETS_NC = torch.tensor(
    [[1.0, 0.0, 0.0, 0.0], [0.0, 0.25, 0.0, 0.75], [0.6, 0.4, 0.0, 0.0]], dtype=torch.float64
)


def at_certainty(size, dtype=torch.float32):
    """Return logits that are certain, rightly and wrongly, among targets hard and soft."""
    logits_NC = size * torch.tensor(
        [[1, -1, 0, 0], [1, -1, 0, 0], [0, 0, 1, 0.5], [0, 0, 1, 1], [-1, -1, -1, -1]]
    )
    targets_NC = torch.tensor(
        [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0.3, 0.7], [0.5, 0, 0.5, 0], [0, 0, 0, 1]]
    )
    return logits_NC.to(dtype).requires_grad_(), targets_NC


@every_loss
def test_a_loss_is_a_scalar_that_is_not_negative(part):
    loss = part.build()(LOGITS_NC, TARGETS_NC)
    assert loss.shape == ()
    assert loss >= 0


@every_loss
def test_its_gradient_agrees_with_finite_differences(part):
    logits_NC = LOGITS_NC.clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: part.build()(x, TARGETS_NC), logits_NC)


@every_loss
@pytest.mark.parametrize("size", [17.0, 60.0, 1e4])
def test_value_and_gradient_stay_finite_at_extreme_logits(part, size):
    logits_NC, targets_NC = at_certainty(size)
    loss = part.build()(logits_NC, targets_NC)
    loss.backward()
    assert loss.isfinite()
    assert logits_NC.grad.isfinite().all()


@every_loss
@pytest.mark.parametrize(
    ("dtype", "size"), [(torch.float16, 6e4), (torch.bfloat16, 1e30), (torch.float32, 1e30)]
)
def test_the_largest_logits_of_a_precision_give_finite_gradients(part, dtype, size):
    logits_NC, targets_NC = at_certainty(size, dtype)
    loss = part.build()(logits_NC, targets_NC)
    loss.backward()
    assert loss.isfinite()
    assert logits_NC.grad.isfinite().all()


@every_loss
def test_float64_is_kept(part):
    assert part.build()(LOGITS_NC, TARGETS_NC).dtype == torch.float64


@every_loss
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_logits_are_computed_in_float32(part, dtype):
    logits_NC, targets_NC = LOGITS_NC.to(dtype), TARGETS_NC.float()
    loss = part.build()(logits_NC, targets_NC)
    assert loss.dtype == torch.float32
    assert torch.equal(loss, part.build()(logits_NC.float(), targets_NC))


@every_loss
def test_autocast_changes_no_bit(part):
    logits_NC, targets_NC = LOGITS_NC.float(), TARGETS_NC.float()
    plain = part.build()(logits_NC, targets_NC)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        under_autocast = part.build()(logits_NC, targets_NC)
    assert torch.equal(under_autocast, plain)


@every_loss
def test_a_constant_added_to_an_images_logits_changes_nothing(part):
    offsets_N1 = torch.tensor([[5.0], [-3.0], [100.0]], dtype=torch.float64)
    loss = part.build()
    torch.testing.assert_close(
        loss(LOGITS_NC + offsets_N1, TARGETS_NC), loss(LOGITS_NC, TARGETS_NC)
    )


@every_loss
def test_the_order_of_images_and_the_numbering_of_classes_change_nothing(part):
    images, classes = [2, 0, 1], [3, 1, 0, 2]
    loss = part.build()
    torch.testing.assert_close(
        loss(LOGITS_NC[images][:, classes], TARGETS_NC[images][:, classes]),
        loss(LOGITS_NC, TARGETS_NC),
    )


@every_loss
def test_descending_its_gradient_finds_the_true_classes(part):
    targets_NC = torch.eye(4)[[0, 2, 2, 3]]
    logits_NC = torch.tensor([[0.0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0.5, 1], [0, 1, 0, 0]])
    logits_NC.requires_grad_()
    optimizer = torch.optim.Adam([logits_NC], lr=0.1)
    for _ in range(60):
        optimizer.zero_grad()
        part.build()(logits_NC, targets_NC).backward()
        optimizer.step()
    assert logits_NC.argmax(1).tolist() == [0, 2, 2, 3]


@every_loss
def test_logits_and_targets_are_left_as_they_are(part):
    logits_NC, targets_NC = copy.deepcopy((LOGITS_NC, TARGETS_NC))
    part.build()(logits_NC, targets_NC)
    assert torch.equal(logits_NC, LOGITS_NC)
    assert torch.equal(targets_NC, TARGETS_NC)


@every_loss
def test_a_loss_function_can_be_pickled(part):
    loss = pickle.loads(pickle.dumps(part.build()))
    assert torch.equal(loss(LOGITS_NC, TARGETS_NC), part.build()(LOGITS_NC, TARGETS_NC))

"""The optimizers against torch's plainest forms, and the adamp package."""

import adamp
import pytest
import torch
from torch import nn

from trainable.optimizers.adam import Adam, AdamW, NAdam
from trainable.optimizers.adamp import AdamP, StridedAdamP, projection
from trainable.optimizers.sgd import Sgd

PLAIN = {"fused": False, "foreach": False}
REFERENCES = [
    (
        Sgd(lr=0.1, momentum=0.8, weight_decay=0.1, nesterov=True),
        lambda p: torch.optim.SGD(
            p, lr=0.1, momentum=0.8, weight_decay=0.1, nesterov=True, **PLAIN
        ),
    ),
    (
        Adam(lr=0.1, beta1=0.8, beta2=0.9, eps=1e-4, weight_decay=0.1),
        lambda p: torch.optim.Adam(p, 0.1, (0.8, 0.9), 1e-4, 0.1, **PLAIN),
    ),
    (
        AdamW(lr=0.1, beta1=0.8, beta2=0.9, eps=1e-4, weight_decay=0.1),
        lambda p: torch.optim.AdamW(p, 0.1, (0.8, 0.9), 1e-4, 0.1, **PLAIN),
    ),
    (
        NAdam(lr=0.1, beta1=0.8, beta2=0.9, eps=1e-4, weight_decay=0.1),
        lambda p: torch.optim.NAdam(p, 0.1, (0.8, 0.9), 1e-4, 0.1, foreach=False),
    ),
    (
        AdamP(lr=0.1, beta1=0.8, beta2=0.9, eps=1e-4, weight_decay=0.1, delta=0.4, wd_ratio=0.3),
        lambda p: adamp.AdamP(p, 0.1, (0.8, 0.9), 1e-4, 0.1, delta=0.4, wd_ratio=0.3),
    ),
]


def kernel(*, channels_last=False):
    value = torch.linspace(-1, 1.3, 5 * 3 * 2 * 2).view(5, 3, 2, 2)
    form = torch.channels_last if channels_last else torch.contiguous_format
    return nn.Parameter(value.contiguous(memory_format=form))


def seeded(number):
    return torch.Generator().manual_seed(number)


def take_steps(parameter, optimizer):
    for step in range(5):
        # The gradient of a scale-free function, as of a kernel before a norm, and some noise.
        optimizer.zero_grad()
        noise = torch.randn(5, 3, 2, 2, generator=seeded(step))
        unit = parameter / parameter.flatten(1).norm(dim=1).view(5, 1, 1, 1)
        ((unit - noise) ** 2).sum().backward()
        optimizer.step()
    return parameter.detach()


@pytest.mark.parametrize(("part", "reference"), REFERENCES, ids=lambda x: getattr(x, "name", ""))
@pytest.mark.parametrize("channels_last", [False, True])
def test_steps_are_those_of_the_plain_form(part, reference, channels_last):
    ours, theirs = kernel(channels_last=channels_last), kernel()
    moved = take_steps(ours, part.build([[("kernel", ours)]]))
    expected = take_steps(theirs, reference([theirs]))
    torch.testing.assert_close(moved, expected, rtol=1e-5, atol=1e-5)
    assert not torch.allclose(moved, kernel().detach(), atol=0.01)


def test_adamp_projects_where_adamw_does_not():
    plain, projected = kernel(), kernel()
    take_steps(plain, AdamW(lr=0.1).build([[("kernel", plain)]]))
    take_steps(projected, AdamP(lr=0.1, delta=1.0).build([[("kernel", projected)]]))
    before = kernel().flatten(1).norm(dim=1)
    assert (projected.flatten(1).norm(dim=1) - before).abs().max() < 0.6 * (
        plain.flatten(1).norm(dim=1) - before
    ).abs().max()


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize(
    ("delta", "orthogonal_to"), [(0.1, "each channel"), (0.4, "the whole"), (0.01, "nothing")]
)
def test_adamps_projection_without_branches_is_the_packages(delta, orthogonal_to, channels_last):
    weight = kernel(channels_last=channels_last).detach()
    gradient, step = (torch.randn(5, 3, 2, 2, generator=seeded(n)) for n in (0, 1))
    if orthogonal_to == "each channel":
        unit = weight / weight.flatten(1).norm(dim=1).view(5, 1, 1, 1)
        gradient -= unit * (unit * gradient).flatten(1).sum(dim=1).view(5, 1, 1, 1)
    if orthogonal_to == "the whole":
        gradient -= weight * (weight * gradient).sum() / weight.square().sum()
    package = StridedAdamP([nn.Parameter(weight)])
    expected, factor = package._projection(weight, gradient, step.clone(), delta, 0.3, 1e-8)
    ours, our_factor = projection(weight, gradient, step, delta=delta, wd_ratio=0.3, eps=1e-8)
    torch.testing.assert_close(ours, expected, rtol=1e-5, atol=1e-6)
    assert float(our_factor) == pytest.approx(factor)
    assert torch.equal(expected, step) == (orthogonal_to == "nothing")


@pytest.mark.parametrize("part", [Sgd(), Adam(), AdamW()], ids=lambda part: part.name)
def test_fused_kernels_are_used_where_there_are_some(part):
    optimizer = part.build([[("kernel", kernel())]])
    assert all(group["fused"] for group in optimizer.param_groups)


def test_nadam_which_has_no_fused_kernel_takes_all_parameters_at_once():
    optimizer = NAdam().build([[("kernel", kernel())]])
    assert all(group["foreach"] for group in optimizer.param_groups)

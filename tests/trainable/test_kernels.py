"""What torch's libraries may choose, and that nothing of it outlasts its use."""

import pytest
import torch

from trainable.checkpoint import load_last
from trainable.kernels import EVALUATION, Kernels
from trainable.trial import Machine, Trial


def chosen():
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    deterministic = torch.are_deterministic_algorithms_enabled()
    return cudnn.allow_tf32, matmul.allow_tf32, cudnn.benchmark, deterministic


@pytest.mark.parametrize(
    ("kernels", "expected"),
    [
        (Kernels.of_training(deterministic=False), (True, True, True, False)),
        (Kernels.of_training(deterministic=True), (True, True, False, True)),
        (EVALUATION, (False, False, False, False)),
    ],
)
def test_a_choice_holds_for_its_block_and_no_longer(kernels, expected):
    before = chosen()
    inside = []

    def fail():
        inside.append(chosen())
        raise KeyError("inside")

    with pytest.raises(KeyError, match="inside"), kernels.in_use():
        fail()
    assert inside == [expected]
    assert chosen() == before


def test_a_layer_without_a_deterministic_form_says_so():
    unpool, values = torch.nn.MaxUnpool2d(2), torch.ones(1, 1, 1, 1)
    with (
        Kernels.of_training(deterministic=True).in_use(),
        pytest.raises(RuntimeError, match="does not have a deterministic implementation"),
    ):
        unpool(values, torch.zeros(1, 1, 1, 1, dtype=torch.int64))


def test_a_deterministic_trial_on_a_cpu_has_the_bits_of_any_other(coloured, config, tmp_path):
    weights = []
    for deterministic in (False, True):
        folder = tmp_path / str(deterministic)
        trial = Trial(config(deterministic=deterministic), coloured, folder)
        trial.run_epoch()
        trial.close()
        weights.append(load_last(folder / "checkpoint").model)
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_a_gpu_a_deterministic_trial_gives_the_same_bits_every_time(coloured, config, tmp_path):
    weights = []
    for number in range(2):
        folder = tmp_path / str(number)
        machine = Machine(torch.device("cuda"), keeps_images=True)
        trial = Trial(
            config(deterministic=True, precision="bf16"), coloured, folder, machine=machine
        )
        trial.run_epoch()
        trial.close()
        weights.append(load_last(folder / "checkpoint").model)
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])

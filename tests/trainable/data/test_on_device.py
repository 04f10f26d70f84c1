"""Batches on their way to the device, and taken from what lies there already."""

import numpy as np
import pytest
import torch

from trainable.data.batches import TrainingBatches, TrainingImages
from trainable.data.on_device import KeptRows, moved_ahead
from trainable.samplers.balanced import ImbalancedSampling
from trainable.samplers.shuffled import PlainSampling

CPU = torch.device("cpu")


def numbered(count, read=None):
    for number in range(count):
        if read is not None:
            read.append(number)
        yield torch.full((2,), number), torch.tensor([number])


@pytest.mark.parametrize("count", [0, 1, 5])
def test_all_batches_arrive_in_order(count):
    arrived = [
        (int(images[0]), int(labels)) for images, labels in moved_ahead(numbered(count), CPU)
    ]
    assert arrived == [(number, number) for number in range(count)]


def test_a_batch_is_on_its_way_while_the_one_before_it_is_worked_on():
    read = []
    batches = moved_ahead(numbered(4, read), CPU)
    next(batches)
    assert read == [0, 1]


def test_an_error_of_the_loader_comes_through():
    def failing():
        yield from numbered(1)
        raise RuntimeError("a worker died")

    with pytest.raises(RuntimeError, match="a worker died"):
        list(moved_ahead(failing(), CPU))


def test_rows_are_copies():
    kept = torch.arange(6).view(3, 2)
    rows = KeptRows(kept)[np.array([2, 0])]
    rows.zero_()
    assert kept.tolist() == [[0, 1], [2, 3], [4, 5]]


@pytest.mark.parametrize("sampling", [PlainSampling(), ImbalancedSampling()])
@pytest.mark.parametrize("batch_size", [4, 64])
def test_kept_images_give_the_batches_of_the_loader(sampling, batch_size):
    pixels = np.random.default_rng(0).integers(256, size=(30, 4, 3, 3), dtype=np.uint8)
    rows, labels = np.arange(5, 16), np.arange(11) % 2
    sampler = sampling.build(labels, num_classes=2, seed=0)
    loaded = TrainingBatches(
        TrainingImages(pixels, rows, labels, None, seed=0), sampler, batch_size=batch_size
    )
    kept = loaded.of_kept(torch.from_numpy(pixels), rows)
    assert (len(kept), kept.num_images) == (len(loaded), loaded.num_images)
    for epoch in range(2):
        pairs = zip(loaded.of_epoch(epoch), kept.of_epoch(epoch), strict=True)
        for (images, of_images), (same, of_same) in pairs:
            assert torch.equal(images, same)
            assert torch.equal(of_images, of_same)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_gets_the_batches_whole_though_they_come_on_another_stream():
    device = torch.device("cuda")
    for number, (images, labels) in enumerate(moved_ahead(numbered(50), device)):
        images.add_(1)  # on the stream that works
        torch.cuda._sleep(100_000)
        assert (images == number + 1).all()
        assert int(labels) == number

"""Weights from a hub, which here is a server of this machine."""

import logging
import multiprocessing
import threading

import pytest
import torch
from huggingface_hub import constants

from trainable.backbones import Backbone
from trainable.pretrained.hub import is_downloaded, one_download

SIZE = (64, 48)
NUM_TRIALS = 3


def build():
    return Backbone(name="test_resnet", pretrained="hub").build(SIZE, load_pretrained=True)


def test_weights_are_downloaded_once(hub):
    assert not is_downloaded("test_resnet")
    first, second = build(), build()
    assert is_downloaded("test_resnet")
    assert hub.num_downloads == 1
    assert torch.equal(first.conv1[0].weight, hub.module.conv1[0].weight)
    assert torch.equal(second.conv1[0].weight, hub.module.conv1[0].weight)


def test_what_was_downloaded_needs_no_network(hub, monkeypatch):
    build()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert torch.equal(build().conv1[0].weight, hub.module.conv1[0].weight)


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_trials_that_start_at_once_download_once(hub):
    hub.seconds = 0.5
    fork = multiprocessing.get_context("fork")
    trials = [fork.Process(target=build) for _ in range(NUM_TRIALS)]
    for trial in trials:
        trial.start()
    for trial in trials:
        trial.join(60)
    assert [trial.exitcode for trial in trials] == [0] * NUM_TRIALS
    assert hub.num_downloads == 1


def test_who_waits_for_a_download_says_so(hub, caplog):
    is_held, may_end = threading.Event(), threading.Event()

    def hold():
        with one_download("test_resnet"):
            is_held.set()
            may_end.wait(30)

    holder = threading.Thread(target=hold)
    holder.start()
    is_held.wait(30)
    threading.Timer(0.2, may_end.set).start()
    with caplog.at_level(logging.WARNING), one_download("test_resnet"):
        assert may_end.is_set()
    holder.join()
    assert "Waiting for the weights of test_resnet, which another process" in caplog.text


def test_nobody_waits_for_weights_that_are_there(hub):
    build()
    with one_download("test_resnet"), one_download("test_resnet"):
        assert hub.num_downloads == 1


def test_of_tries_that_fail_the_hubs_library_says_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    log = logging.getLogger("huggingface_hub.utils._http")
    with one_download("test_resnet"):
        assert not log.isEnabledFor(logging.WARNING)
        assert log.isEnabledFor(logging.ERROR)
    assert log.isEnabledFor(logging.WARNING)

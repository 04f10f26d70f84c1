"""Weights on timm's hub: downloaded once a machine, however many trials start at once."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from huggingface_hub import constants, try_to_load_from_cache

from trainable.pretrained.local_files import HUB_FILE
from trainable.timm_import import timm

_log = logging.getLogger(__name__)


def is_on_hub(name: str) -> bool:
    """Return whether timm knows of weights of a model."""
    return bool(timm.get_pretrained_cfg(name).has_weights)


def is_downloaded(name: str) -> bool:
    """Return whether a model's weights are in this machine's cache, without asking the network.

    What timm takes from elsewhere than the hub, or in another form, counts as not downloaded.
    """
    hub_id = timm.get_pretrained_cfg(name).hf_hub_id
    if not hub_id:
        return False
    repository, _, revision = hub_id.partition("@")
    file = try_to_load_from_cache(repository, HUB_FILE, revision=revision or None)
    return isinstance(file, str)


@contextmanager
def one_download(name: str) -> Iterator[None]:
    """Run a block that downloads a model's weights in one process of this machine at a time.

    The hub's own lock is of single files and says nothing while it waits, and weights from
    elsewhere have none. Nobody waits once the weights are there.
    """
    if is_downloaded(name):
        yield
        return
    file = Path(constants.HF_HUB_CACHE) / ".locks" / f"{name}.lock"
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(file)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        _log.warning("Waiting for the weights of %s, which another process downloads.", name)
        lock.acquire()
    try:
        with _no_word_of_retries():
            yield
    finally:
        lock.release()


@contextmanager
def _no_word_of_retries() -> Iterator[None]:
    """Keep the hub's library from telling of each try: what becomes of the last one is told."""
    hub_log = logging.getLogger("huggingface_hub")
    level = hub_log.level
    hub_log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        hub_log.setLevel(level)

"""How busy is a GPU with trials side by side? The share of the time in which it works at all."""

import multiprocessing
import subprocess
import threading
import time
from contextlib import suppress
from functools import partial
from multiprocessing.synchronize import Barrier as BarrierType
from pathlib import Path
from queue import Queue
from statistics import mean
from tempfile import TemporaryDirectory
from threading import BrokenBarrierError

import pandas as pd
import torch

from benchmarks.gpu_epochs import Work, config_of
from trainable.cache_place import default_cache_dir
from trainable.config import parse_config
from trainable.data.prepared import prepare_data
from trainable.trial import Machine, Trial

QUERY = ("nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "--id=0")
LOOK_EVERY_S = 0.25
STARTS_WITHIN_S = 300


def table(
    work: Work, source: str, *, at_a_time: tuple[int, ...], seconds: float, device: torch.device
) -> pd.DataFrame:
    """Return what some trials at a time make of a GPU.

    Args:
        work: What each of them trains.
        source: On which data.
        at_a_time: How many trials, one measurement each.
        seconds: How long each is watched.
        device: Which GPU; of a CPU nothing says how busy it is.

    Returns:
        A row a number of trials: ``trials``, ``images/s`` of all together, ``busy``, the share of
        the time in which the GPU worked, NaN where nothing tells.
    """
    rows = [watched(work, source, count, seconds=seconds, device=device) for count in at_a_time]
    return pd.DataFrame(rows)


def watched(
    work: Work, source: str, count: int, *, seconds: float, device: torch.device
) -> dict[str, float]:
    """Train so many trials at a time, each in a process, and watch the GPU meanwhile.

    Raises:
        RuntimeError: If one of them fails.
    """
    context = multiprocessing.get_context("spawn")
    barrier, told = context.Barrier(count + 1), context.Queue()
    train = partial(_train, work, source, seconds=seconds, device=device)
    ends = {"barrier": barrier, "told": told}
    processes = [context.Process(target=train, kwargs=ends) for _ in range(count)]
    for process in processes:
        process.start()
    busy = None
    with suppress(BrokenBarrierError):  # then the exit codes tell
        barrier.wait(STARTS_WITHIN_S)
        busy = _Busy() if device.type == "cuda" else None
    for process in processes:
        process.join()
    share = busy.ended() if busy else float("nan")
    if any(process.exitcode for process in processes):
        raise RuntimeError(f"{count} trials at a time: one of them failed.")
    total = sum(told.get() for _ in processes)
    return {"trials": count, "images/s": total / seconds, "busy": share}


def _train(
    work: Work,
    source: str,
    *,
    seconds: float,
    device: torch.device,
    barrier: BarrierType,
    told: "Queue[int]",
) -> None:
    torch.set_num_threads(1)
    try:
        num_images = _trained_images(work, source, seconds, device, barrier)
    except BaseException:
        barrier.abort()  # nobody is to wait for this one
        raise
    told.put(num_images)


def _trained_images(
    work: Work, source: str, seconds: float, device: torch.device, barrier: BarrierType
) -> int:
    data = prepare_data(source, cache_dir=default_cache_dir(), seed=0)
    machine = Machine(device, 0, keeps_images=device.type == "cuda")
    with TemporaryDirectory() as folder:
        trial = Trial(parse_config(config_of(work)), data, Path(folder), machine=machine)
        trial._train()
        barrier.wait(STARTS_WITHIN_S)
        num_images, end = 0, time.monotonic() + seconds
        while time.monotonic() < end:
            trial._train()
            num_images += trial._loop.batches.num_images
        trial.close()
    return num_images


class _Busy:
    """Asks the driver, in a thread of its own, how busy the GPU is."""

    def __init__(self) -> None:
        self._has_ended = threading.Event()
        self._seen: list[float] = []
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._has_ended.wait(LOOK_EVERY_S):
            said = subprocess.run(QUERY, capture_output=True, text=True, check=True)  # noqa: S603
            self._seen.append(float(said.stdout) / 100)

    def ended(self) -> float:
        """Stop, and return the mean share."""
        self._has_ended.set()
        self._thread.join()
        return mean(self._seen)

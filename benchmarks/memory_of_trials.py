"""What do more trials on a node cost in memory? ``python -m benchmarks.memory_of_trials``.

Four trials in processes of their own train an epoch and read every image, once from the decoded
cache and once from a copy of it in each process. Counted is the memory of the images: of the cache
its pages in all four processes together, each page shared by n of them counted as an n-th (Pss in
``/proc/PID/smaps``), of the copies what each process gained. Printed, too, is all memory of one
and of four trials.
"""

import argparse
import multiprocessing
import os
from dataclasses import fields
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd

from benchmarks.side_by_side import row
from trainable.cache_place import default_cache_dir
from trainable.config import parse_config
from trainable.data.cache import cache_file
from trainable.data.prepared import PreparedData, prepare_data
from trainable.trial import Trial

CONFIG = {"backbone/name": "test_efficientnet", "resize": "128x96", "epochs": 1}
NUM_TRIALS = 4
# Of the one copy: page tables of the kernel do not count, a page more at each end does.
MOST_COPIES = 1.01


class CopiedData(PreparedData):
    """Data whose images are copied into the memory of the process that asks for them."""

    copies: ClassVar[dict[tuple[int, int], Any]] = {}

    def images(self, size: tuple[int, int], progress: object = None) -> Any:  # noqa: ANN401
        """Return this process's copy of all images at a size."""
        del progress
        if size not in self.copies:
            self.copies[size] = np.array(super().images(size))
        return self.copies[size]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=250)
    options = parser.parse_args()
    print(_table(options.people).to_string(index=False))


def table(*, quick: bool = False) -> pd.DataFrame:
    """Return the row of four trials' memory."""
    return _table(40 if quick else 250)


def _table(people: int) -> pd.DataFrame:
    config = parse_config(CONFIG)
    source = f"faces:people={people}"
    data = prepare_data(source, cache_dir=default_cache_dir(), seed=0)
    file = cache_file(data, config.resize)
    one_copy = data.images(config.resize).nbytes  # not kept: one more would share its pages
    shared, total = memory_of(NUM_TRIALS, source, copied=False, file=file)
    _, total_of_one = memory_of(1, source, copied=False, file=file)
    copies, total_copied = memory_of(NUM_TRIALS, source, copied=True, file=file)
    print(f"all memory in MB: 1 trial {total_of_one / 1e6:.0f}, {NUM_TRIALS} trials ", end="")
    print(f"{total / 1e6:.0f}, with a copy each {total_copied / 1e6:.0f}")
    return row(
        f"images of {NUM_TRIALS} concurrent trials in memory: {shared / one_copy:.2f} copies",
        "one decoded copy per trial",
        [(copies, shared)],
        goal="counted once per node",
        at_least=NUM_TRIALS / MOST_COPIES,
        also_met=shared < MOST_COPIES * one_copy,
    )


def memory_of(num_trials: int, source: str, *, copied: bool, file: Path) -> tuple[int, int]:
    """Return the bytes of images, and of everything, that some trials at a time have in memory."""
    context = multiprocessing.get_context("spawn")
    processes, ends = [], []
    for _ in range(num_trials):
        here, there = context.Pipe()
        process = context.Process(target=_train, args=(source, copied, there), daemon=True)
        process.start()
        there.close()  # so that a process that dies is noticed
        processes.append(process)
        ends.append(here)
    gained = [int(end.recv()) for end in ends]
    pids = [int(process.pid or 0) for process in processes]
    images = sum(gained) if copied else sum(pss_of_file(pid, file) for pid in pids)
    everything = sum(pss(pid) for pid in pids)
    for process, end in zip(processes, ends, strict=True):
        end.send("done")
        process.join()
    return images, everything


def _train(source: str, copied: bool, parent: Connection) -> None:
    """Train an epoch, read all images, say what a copy took, and stay until told to end."""
    import torch

    torch.set_num_threads(1)
    config = parse_config(CONFIG)
    data = prepare_data(source, cache_dir=default_cache_dir(), seed=0)
    if copied:
        data = CopiedData(**{field.name: getattr(data, field.name) for field in fields(data)})
    before = anonymous_bytes()
    images = data.images(config.resize)
    gained = anonymous_bytes() - before
    with TemporaryDirectory() as folder:
        trial = Trial(config, data, Path(folder))
        trial.run_epoch()
        int(images.max())
        parent.send(gained)
        parent.recv()
        trial.close()


def pss_of_file(pid: int, file: Path) -> int:
    """Return a process's share of the pages of a file that it maps, in bytes."""
    total, counts = 0, False
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        name, *values = line.split()
        if not name.endswith(":"):  # the head of a mapping: its addresses first, its file last
            counts = line.endswith(str(file))
        elif counts and name == "Pss:":
            total += 1024 * int(values[0])
    return total


def pss(pid: int) -> int:
    """Return all memory of a process in bytes, pages shared by n processes as an n-th."""
    return _rolled_up(pid, "Pss:")


def anonymous_bytes() -> int:
    """Return the memory of this process that is no file's."""
    return _rolled_up(os.getpid(), "Anonymous:")


def _rolled_up(pid: int, name: str) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(name))


if __name__ == "__main__":
    main()

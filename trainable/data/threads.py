"""Work on many files at once, results in order, without holding them all."""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import cv2

Item = TypeVar("Item")
Result = TypeVar("Result")
Progress = Callable[[int, int], None]
AHEAD = 64


def num_cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_threads(
    function: Callable[[Item], Result], items: Sequence[Item], progress: Progress | None = None
) -> Iterator[Result]:
    """Yield the function's results in the order of the items, a few of them computed ahead.

    Args:
        function: Releases the interpreter lock most of the time, as decoders do.
        items: Its arguments.
        progress: Called with (number done, number of items) after each.
    """
    cv2.setNumThreads(0)  # OpenCV's own threads would compete with these
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(num_cores()) as pool:
        for done in range(len(items)):
            while len(waiting) < AHEAD and done + len(waiting) < len(items):
                waiting.append(pool.submit(function, items[done + len(waiting)]))
            yield waiting.popleft().result()
            if progress is not None:
                progress(done + 1, len(items))

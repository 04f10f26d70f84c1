"""Work on many files at once, results in order, without holding them all."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

import cv2

from trainable.cpus import usable_cpus

Item = TypeVar("Item")
Result = TypeVar("Result")
Progress = Callable[[int, int], None]
CHUNK = 16  # items a task: smaller ones spend their time on handing over
CHUNKS_AHEAD = 3  # for each thread


def in_threads(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    progress: Progress | None = None,
    *,
    num_threads: int | None = None,
) -> Iterator[Result]:
    """Yield the function's results in the order of the items, a few of them computed ahead.

    Args:
        function: Releases the interpreter lock most of the time, as decoders do.
        items: Its arguments.
        progress: Called with (number done, number of items) after every few.
        num_threads: Number of threads; as many as there are usable cores when None.
    """
    cv2.setNumThreads(0)  # OpenCV's own threads would compete with these

    def work(start: int) -> list[Result]:
        return [function(item) for item in items[start : start + CHUNK]]

    num_threads, num_done = num_threads or usable_cpus(), 0
    starts = iter(range(0, len(items), CHUNK))
    waiting: deque[Future[list[Result]]] = deque()
    with ThreadPoolExecutor(num_threads) as pool:
        waiting.extend(pool.submit(work, s) for s in islice(starts, num_threads * CHUNKS_AHEAD))
        while waiting:
            results = waiting.popleft().result()
            waiting.extend(pool.submit(work, s) for s in islice(starts, 1))
            yield from results
            num_done += len(results)
            if progress is not None:
                progress(num_done, len(items))

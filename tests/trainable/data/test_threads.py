import threading

import pytest

from trainable.cpus import usable_cpus
from trainable.data.threads import in_threads


def test_results_come_in_the_order_of_the_items() -> None:
    assert list(in_threads(lambda n: n * n, range(1000))) == [n * n for n in range(1000)]


def test_nothing_to_do_is_nothing() -> None:
    assert list(in_threads(str, [])) == []


def test_progress_ends_at_the_whole() -> None:
    calls: list[tuple[int, int]] = []
    list(in_threads(str, range(100), lambda done, total: calls.append((done, total))))
    assert calls[-1] == (100, 100)
    assert calls == sorted(calls)


def test_an_error_reaches_the_caller() -> None:
    with pytest.raises(ZeroDivisionError, match="by zero"):
        list(in_threads(lambda n: 1 // (n - 50), range(100)))


def test_only_a_few_items_are_worked_on_ahead() -> None:
    started: list[int] = []
    lock = threading.Lock()

    def work(n: int) -> int:
        with lock:
            started.append(n)
        return n

    results = in_threads(work, range(100_000))
    next(results)
    results.close()
    assert len(started) <= 16 * 4 * (usable_cpus() + 1)

"""Ctrl-C, and the SIGTERM that clusters send: both mean that the search is to end in order."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def interruptible(ask_to_end: Callable[[], None] | None = None) -> Iterator[None]:
    """Have both signals raise ``KeyboardInterrupt``, or first ask for the end and raise after.

    Ray answers SIGTERM itself from when it starts, by ending the process: a block within which
    that matters is to be entered after Ray has started.

    Args:
        ask_to_end: Called at the first signal; None raises at once.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # Python lets no other thread handle signals
        return

    def at_first(number: int, frame: FrameType | None) -> None:
        del number, frame
        for each in SIGNALS:
            signal.signal(each, signal.default_int_handler)
        if ask_to_end is not None:
            ask_to_end()

    handler = signal.default_int_handler if ask_to_end is None else at_first
    before = {each: signal.signal(each, handler) for each in SIGNALS}
    try:
        yield
    finally:
        for each, earlier in before.items():
            signal.signal(each, earlier)

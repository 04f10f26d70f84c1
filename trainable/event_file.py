"""A TensorBoard event file that is written by whoever writes to it, at once."""

import time
from pathlib import Path

from tensorboardX.event_file_writer import EventsWriter
from tensorboardX.proto.event_pb2 import Event, SessionLog
from tensorboardX.proto.summary_pb2 import Summary

from trainable.files import written_to

EVENTS = "events"


class EventFile:
    """Appends summaries to a new event file.

    tensorboardX's ``SummaryWriter`` hands them to a thread through a queue of ten. On a full
    disk that thread dies, and whoever writes the eleventh summary waits for ever.

    Args:
        folder: Where the file is made; its name holds the second and the host.
        suffix: What its name ends in.

    Raises:
        UnwritableError: If the disk is full, or may not be written to.
    """

    def __init__(self, folder: Path, suffix: str = "") -> None:
        self._folder = folder
        with written_to(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self._events = EventsWriter(str(folder / EVENTS), suffix)

    def hide_from(self, step: int) -> None:
        """Have TensorBoard hide what earlier files of the folder say of a step and later ones."""
        self._write(Event(step=step, file_version="brain.Event:2"))
        self._write(Event(step=step, session_log=SessionLog(status=SessionLog.START)))

    def add(self, *summaries: Summary, step: int = 0) -> None:
        """Write summaries of a step, so that they are on disk when this returns."""
        for summary in summaries:
            self._write(Event(step=step, summary=summary))
        with written_to(self._folder):
            self._events.flush()

    def close(self) -> None:
        """Close the file."""
        with written_to(self._folder):
            self._events.close()

    def _write(self, event: Event) -> None:
        event.wall_time = time.time()
        with written_to(self._folder):
            self._events.write_event(event)

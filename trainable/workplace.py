"""Where a worker trains that does not share the run folder's disk, and what it sends there."""

import hashlib
import json
import os
import platform
import time
import uuid
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from trainable.checkpoint import DAMAGED, LAST
from trainable.depot import MARK_FILE, Depot, files_of
from trainable.event_file import EVENTS
from trainable.files import remove, stamp
from trainable.ownership import ASIDE, NotOwnerError
from trainable.run_files import RECORD_FILE, SPLIT_FILE, kept_copies
from trainable.trial_folder import TrialFolder
from trainable.user_paths import add_copies

WORKING_FOLDER = "working"
KEPT_S = 7 * 86400
CHECKPOINT = "checkpoint"


class Workplace:
    """A run folder on another machine as far as a worker needs it: the data, and its trial.

    Args:
        depot: The machine of the run folder.
        home: The run folder there, absolute.
        folder: A folder here, for this process alone.
    """

    def __init__(self, depot: Depot, home: Path, folder: Path) -> None:
        self._depot = depot
        self._home = home
        self.folder = folder
        for name in (RECORD_FILE, SPLIT_FILE):
            _fetch(depot, home / name, folder / name)
        copies = kept_copies(json.loads((folder / RECORD_FILE).read_text()))
        for name in copies.values():
            _fetch(depot, home / name, folder / name)
        add_copies({file: folder / name for file, name in copies.items()})

    def trial(self, number: int) -> "RemoteTrial":
        """Return a trial of the run folder, to be opened."""
        there, here = (TrialFolder.of(home, number).path for home in (self._home, self.folder))
        return RemoteTrial(self._depot, there, here)


@lru_cache
def workplace(depot: Depot, home: Path, cache_dir: Path) -> Workplace | None:
    """Return where this process trains the trials of a run folder; None for in the folder itself.

    Args:
        depot: The machine of the run folder.
        home: The run folder there, absolute.
        cache_dir: Folder of this machine's caches.
    """
    mark = depot.mark(home)
    with suppress(OSError):
        if (home / MARK_FILE).read_text() == mark:
            return None
    all_of_them = cache_dir / WORKING_FOLDER
    _remove_old(all_of_them)
    run = hashlib.sha256(f"{mark}{home}".encode()).hexdigest()[:16]
    # Caches may themselves be on a disk that machines share.
    return Workplace(depot, home, all_of_them / f"{platform.node()}-{os.getpid()}-{run}")


class RemoteTrial:
    """A trial's folder on another machine, and the copy of it that is worked in here.

    What an epoch has written is sent when it ends. The checkpoint to go on from, which is most of
    it, is sent while the next epoch trains: a worker that is lost costs one epoch more, and that
    gives the same bits again.

    Args:
        depot: The other machine.
        there: The folder on it.
        here: The folder here, of which nobody else knows.
    """

    def __init__(self, depot: Depot, there: Path, here: Path) -> None:
        self._depot = depot
        self._there = there
        self._here = here
        self._token = ""
        self._sent: dict[str, tuple[int, int] | None] = {}
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="checkpoint")
        self._under_way: Future[None] | None = None

    def open(self) -> None:
        """Claim the trial and bring here what it goes on from, in place of what is here."""
        self._token = self._depot.claim(self._there)
        remove(self._here)
        self._here.mkdir(parents=True)
        best = TrialFolder(self._here).best_weights
        for name in self._depot.names(self._there):
            if self._here / name != best:  # it goes on without, and need not wait for them
                _fetch(self._depot, self._there / name, self._here / name)
                self._sent[name] = stamp(self._here / name)

    def check(self) -> None:
        """Check that the trial is this worker's still.

        Raises:
            NotOwnerError: If it is not.
        """
        self._depot.check(self._there, self._token)

    def send(self, *, is_finished: bool = False) -> None:
        """Send what has changed since the last time.

        Args:
            is_finished: Whether nothing will go on from the checkpoint, which then stays here.

        Raises:
            NotOwnerError: If the trial is not this worker's any more.
            UnwritableError: If the other machine's disk is full, or may not be written to.
        """
        self._wait()
        os.utime(self._here.parents[1])  # in use
        changed, gone = self._news()
        last = [name for name in changed if _is_in(name, LAST)]
        rest = [name for name in changed if name not in last]
        old = sorted({str(Path(name).parent) for name in gone if _is_in(name, LAST)})
        gone = [name for name in gone if not _is_in(name, LAST)]
        if rest or gone:
            with ExitStack() as stack:
                self._send(self._opened(rest, stack), rest, gone)
        if last and not is_finished:
            # What is open stays readable when the next checkpoint takes its place.
            stack = ExitStack()
            streams = self._opened(last, stack)
            folders = sorted({str(Path(name).parent) for name in last})
            self._under_way = self._pool.submit(self._send_last, stack, streams, folders, old)

    def close(self) -> None:
        """Send what was drawn at the end, and leave nothing here.

        Whoever owns the trial by then, pictures of it do no harm.
        """
        try:
            with suppress(NotOwnerError):
                self._wait()
            names = [name for name in self._news()[0] if Path(name).name.startswith(EVENTS)]
            if names:
                with ExitStack() as stack:
                    self._send(self._opened(names, stack), names, [], is_anyones=True)
        finally:
            self._pool.shutdown()
            remove(self._here)

    def _news(self) -> tuple[list[str], list[str]]:
        """Return the files that have changed since they were sent, and those that are gone."""
        names = [name for name in files_of(self._here) if not _is_in(name, DAMAGED)]
        found = {name: stamp(self._here / name) for name in names}
        changed = [name for name in found if self._sent.get(name) != found[name]]
        gone = [name for name in self._sent if name not in found]
        self._sent = found
        return changed, gone

    def _opened(self, names: Collection[str], stack: ExitStack) -> dict[str, BinaryIO]:
        return {name: stack.enter_context((self._here / name).open("rb")) for name in names}

    def _send_last(
        self,
        stack: ExitStack,
        streams: Mapping[str, BinaryIO],
        folders: Sequence[str],
        gone: Sequence[str],
    ) -> None:
        with stack:
            self._send(streams, folders, gone)

    def _send(
        self,
        streams: Mapping[str, BinaryIO],
        names: Sequence[str],
        gone: Sequence[str],
        *,
        is_anyones: bool = False,
    ) -> None:
        """Send files, whole or none of them."""
        aside = self._there / f"{ASIDE}{uuid.uuid4().hex[:8]}"
        for name, stream in streams.items():
            self._depot.send(stream, aside, name)
        token = None if is_anyones else self._token
        self._depot.settle(aside, names, gone, token=token)

    def _wait(self) -> None:
        """Wait until the checkpoint before is there.

        Raises:
            NotOwnerError, UnwritableError: If it cannot be.
        """
        under_way, self._under_way = self._under_way, None
        if under_way is not None:
            under_way.result()


def _is_in(name: str, kind: str) -> bool:
    """Return whether a file is one of a checkpoint to go on from, whole or damaged."""
    return Path(name).parent.match(f"{CHECKPOINT}/{kind}*")


def _fetch(depot: Depot, there: Path, here: Path) -> None:
    here.parent.mkdir(parents=True, exist_ok=True)
    with here.open("wb") as stream:
        depot.fetch(there, stream)


def _remove_old(folder: Path) -> None:
    """Remove what workers have left that were killed long ago."""
    for path in folder.glob("*"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > KEPT_S:
                remove(path)

"""A copy of a run folder in a bucket, and whose it is."""

import json
import os
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from uuid import uuid4

from analysis.study_file import STUDY_FILE
from trainable.buckets import is_plain, opened, worded
from trainable.errors import ConfigError, expected
from trainable.files import remove, write_json
from trainable.files import stamp as stamp_of
from trainable.run_files import RECORD_FILE

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

NUM_THREADS = 8
PROBE_FILE = ".probe"
WRITER_FILE = ".writer"
STATE_FILE = ".copy.json"
HELD_FOLDER = ".bucket"
Stamp = tuple[int, int]


@dataclass(frozen=True)
class CopyState:
    """What a run folder knows of its copy.

    Args:
        writers: Whoever of this run folder wrote to the copy; the bucket has the name of the last.
        brought: The files of the copy, and what each was like when it was brought there.
    """

    writers: tuple[str, ...] = ()
    brought: Mapping[str, Stamp] = field(default_factory=dict)

    @classmethod
    def read(cls, run_folder: Path) -> "CopyState":
        """Return what is known; nothing where that was never written, or is damaged."""
        try:
            content = json.loads((run_folder / STATE_FILE).read_text())
            brought = {str(name): (int(a), int(b)) for name, (a, b) in content["brought"].items()}
            return cls(tuple(map(str, content["writers"])), brought)
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            return cls()

    def write(self, run_folder: Path) -> None:
        """Keep it in a run folder."""
        write_json(run_folder / STATE_FILE, asdict(self))


class TakenOverError(Exception):
    """Another machine goes on with the copy in a bucket."""


class BucketCopy:
    """Brings what has changed in a run folder into a bucket.

    A pass takes the study first and writes it last: in the bucket, no epoch is in the study of
    which the trial's files are not there, too, so that a search can go on from any pass.

    Whoever brings something leaves a name in the bucket. Where another machine has gone on from
    there, the run folder here is an old one and brings nothing any more.

    Args:
        run_folder: The run folder.
        url: The folder of run folders in the bucket, such as ``s3://bucket/runs``.
    """

    def __init__(self, run_folder: Path, url: str) -> None:
        self.run_folder = run_folder
        self.url = f"{url.rstrip('/')}/{run_folder.name}"
        self.num_brought = 0
        self._system, self._root = opened(self.url)
        self._writer = uuid4().hex
        self._writers: tuple[str, ...] = ()
        self._brought: dict[str, Stamp] = {}
        self._gone: set[str] = set()

    def check(self, *, is_new: bool) -> None:
        """Write something there and delete it again.

        Args:
            is_new: Whether the run has just begun, so that there may be none of its name.

        Raises:
            ConfigError: If the bucket does not answer, cannot be written to, has such a run, or
                has been written to from elsewhere since.
        """
        with worded(self.url, "a bucket that can be written to"):
            self._system.pipe_file(f"{self._root}/{PROBE_FILE}", b"")
            self._system.rm_file(f"{self._root}/{PROBE_FILE}")
            is_taken = is_new and self._system.exists(f"{self._root}/{RECORD_FILE}")
            writer = writer_of(self._system, self._root)
        if is_taken:
            remedy = "Give another --name, or go on with that one by --resume."
            raise ConfigError(expected(self.url, "no run of this name", "one", remedy))
        if not is_new and writer not in ("", *CopyState.read(self.run_folder).writers):
            what = f"to have been written to from {self.run_folder} last"
            remedy = f"To go on from there, move that folder away and give --resume {self.url}"
            raise ConfigError(expected(self.url, what, "from elsewhere", remedy))

    def bring(self, *, is_last: bool = False) -> None:
        """Bring there what has changed since the last pass, and delete there what is gone.

        A trial replaces its checkpoint at any moment, so what is gone is deleted a pass later:
        until then, the bucket may have no other that is whole.

        Args:
            is_last: Whether nothing is written any more, so that there need be no later pass.

        Raises:
            TakenOverError: If another machine has gone on from there.
            Exception: Whatever the bucket's package raises; the next pass takes up from there.
        """
        self._claim()
        before = dict(self._brought)
        try:
            self._bring(is_last=is_last)
        finally:
            if self._brought != before:
                self._keep_state()

    def _claim(self) -> None:
        """Be the one who writes to the bucket, from the first pass on."""
        writer = writer_of(self._system, self._root)
        if writer == self._writer:
            return
        state = CopyState.read(self.run_folder)
        if writer not in ("", *state.writers):
            raise TakenOverError("another machine has gone on from there")
        # Written before the bucket is, so that what a kill leaves there is known here.
        self._writers = (*state.writers, self._writer)
        self._brought = dict(state.brought) if writer else {}
        self._keep_state()
        self._system.pipe_file(f"{self._root}/{WRITER_FILE}", self._writer.encode())

    def _keep_state(self) -> None:
        CopyState(self._writers, self._brought).write(self.run_folder)

    def _bring(self, *, is_last: bool) -> None:
        study = stamp_of(self.run_folder / STUDY_FILE)
        with self._copied_study(study) as copy, self._held() as (found, held):
            with ThreadPoolExecutor(NUM_THREADS) as pool:
                list(pool.map(lambda name: self._put(held, name, found[name]), held))
            if study is not None and copy is not None:
                self._system.put_file(str(copy), f"{self._root}/{STUDY_FILE}")
                self._brought[STUDY_FILE] = study
        gone = self._brought.keys() - found.keys() - {STUDY_FILE}
        for name in gone if is_last else gone & self._gone:
            with suppress(FileNotFoundError):
                self._system.rm_file(f"{self._root}/{name}")
            del self._brought[name]
        self._gone = gone & self._brought.keys()

    @contextmanager
    def _held(self) -> Iterator[tuple[dict[str, Stamp], dict[str, Path]]]:
        """Yield what is in the run folder, and a path that stays for each file that has changed.

        A folder of which a file is deleted meanwhile is left out as a whole.
        """
        aside = self.run_folder / HELD_FOLDER
        remove(aside)  # left by a search that was killed
        aside.mkdir()
        found: dict[str, Stamp] = {}
        held: dict[str, Path] = {}
        try:
            for folder, folders, files in os.walk(self.run_folder):
                folders[:] = [name for name in folders if not name.startswith(".")]
                with suppress(FileNotFoundError):
                    stamps = self._stamps(Path(folder), files)
                    changed = [name for name in stamps if self._brought.get(name) != stamps[name]]
                    paths = {name: aside / uuid4().hex for name in changed}
                    for name, path in paths.items():
                        _hold(self.run_folder / name, path)
                    found |= stamps
                    held |= paths
            yield found, held
        finally:
            remove(aside)

    def _stamps(self, folder: Path, files: Iterable[str]) -> dict[str, Stamp]:
        """Return which of a folder's files are to be brought, and what changes as each does."""
        names = [(folder / file).relative_to(self.run_folder).as_posix() for file in files]
        wanted = [name for name in names if is_plain(name)]
        stamps = {name: stamp_of(self.run_folder / name) for name in wanted}
        if None in stamps.values():
            raise FileNotFoundError(folder)
        return {
            name: stamp
            for name, stamp in stamps.items()
            if stamp is not None and name.partition("-")[0] != STUDY_FILE
        }

    def _put(self, held: Mapping[str, Path], name: str, stamp: Stamp) -> None:
        self._system.put_file(str(held[name]), f"{self._root}/{name}")
        self._brought[name] = stamp
        self.num_brought += 1

    @contextmanager
    def _copied_study(self, stamp: Stamp | None) -> Iterator[Path | None]:
        """Yield a copy of the study as of one moment; None where nothing is new in it."""
        if stamp is None or self._brought.get(STUDY_FILE) == stamp:
            yield None
            return
        with TemporaryDirectory() as folder:
            copy = Path(folder, STUDY_FILE)
            source = f"file:{self.run_folder / STUDY_FILE}?mode=ro"
            with (
                closing(sqlite3.connect(source, uri=True)) as study,
                closing(sqlite3.connect(copy)) as target,
            ):
                study.backup(target)
            yield copy


def writer_of(system: "AbstractFileSystem", root: str) -> str:
    """Return the name of whoever wrote to a run folder in a bucket last, "" for nobody."""
    try:
        return bytes(system.cat_file(f"{root.rstrip('/')}/{WRITER_FILE}")).decode()
    except FileNotFoundError:
        return ""


def _hold(path: Path, aside: Path) -> None:
    """Keep what a file has now under another name, by a link where the disk has those."""
    try:
        aside.hardlink_to(path)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copyfile(path, aside)

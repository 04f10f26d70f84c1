"""A copy of a run folder in a bucket: kept up while a search runs, and brought back from there."""

import os
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from uuid import uuid4

from analysis.study_file import STUDY_FILE
from trainable.buckets import opened, said, worded
from trainable.errors import ConfigError, expected
from trainable.files import remove, written_aside
from trainable.run_files import RECORD_FILE

PERIOD_S = 5.0
NUM_THREADS = 8
PROBE_FILE = ".probe"
HELD_FOLDER = ".bucket"
# What a run folder may have: no file that is being written, no lock, nothing of Ray's.
_NAME = re.compile(r"(?:(?!\.)[^/\\:\x00-\x1f]+/)*(?!\.)[^/\\:\x00-\x1f]+")

Stamp = tuple[int, int]


class BucketCopy:
    """Brings what has changed in a run folder into a bucket.

    A pass takes the study first and writes it last: in the bucket, no epoch is in the study of
    which the trial's files are not there, too, so that a search can go on from any pass.

    Args:
        run_folder: The run folder.
        url: The folder of run folders in the bucket, such as ``s3://bucket/runs``.
    """

    def __init__(self, run_folder: Path, url: str) -> None:
        self.run_folder = run_folder
        self.url = f"{url.rstrip('/')}/{run_folder.name}"
        self._system, self._root = opened(self.url)
        self._brought: dict[str, Stamp] = {}
        self._gone: set[str] = set()

    def check(self, *, is_new: bool) -> None:
        """Write something there and delete it again.

        Args:
            is_new: Whether the run has just begun, so that there may be none of its name.

        Raises:
            ConfigError: If the bucket does not answer, cannot be written to, or has such a run.
        """
        with worded(self.url, "a bucket that can be written to"):
            self._system.pipe_file(f"{self._root}/{PROBE_FILE}", b"")
            self._system.rm_file(f"{self._root}/{PROBE_FILE}")
            is_taken = is_new and self._system.exists(f"{self._root}/{RECORD_FILE}")
        if is_taken:
            remedy = "Give another --name, or go on with that one by --resume."
            raise ConfigError(expected(self.url, "no run of this name", "one", remedy))

    def bring(self, *, is_last: bool = False) -> None:
        """Bring there what has changed since the last pass, and delete there what is gone.

        A trial replaces its checkpoint at any moment, so what is gone is deleted a pass later:
        until then, the bucket may have no other that is whole.

        Args:
            is_last: Whether nothing is written any more, so that there need be no later pass.

        Raises:
            Exception: Whatever the bucket's package raises; the next pass takes up from there.
        """
        study = _stamp(self.run_folder / STUDY_FILE)
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
        wanted = [name for name in names if _NAME.fullmatch(name)]
        stamps = {name: _stamp(self.run_folder / name) for name in wanted}
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


@contextmanager
def kept_in_bucket(copy: BucketCopy | None, tell: Callable[[str], None]) -> Iterator[None]:
    """Keep a run folder's copy in a bucket up while the block runs, and whole after it.

    A bucket that fails never ends a search: it is told once until it answers again.

    Args:
        copy: The copy; None for none.
        tell: Is told in a line what fails.
    """
    if copy is None:
        yield
        return
    is_over = Event()
    thread = Thread(target=_keep_up, args=(copy, is_over, tell), name="bucket", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
        try:
            copy.bring(is_last=True)
        except Exception as error:  # noqa: BLE001  each bucket's package has errors of its own
            tell(
                f"{copy.url}: expected to be whole, got '{said(error)}'. Once it answers again: "
                f"python -m search.run --resume {copy.run_folder}"
            )


def _keep_up(copy: BucketCopy, is_over: Event, tell: Callable[[str], None]) -> None:
    has_failed = False
    while not is_over.wait(PERIOD_S):
        try:
            copy.bring()
        except Exception as error:  # noqa: BLE001  each bucket's package has errors of its own
            if not has_failed:
                tell(f"{copy.url}: not up to date ('{said(error)}'); it is tried again.")
            has_failed = True
        else:
            has_failed = False


def bring_run(url: str, runs_dir: Path) -> Path:
    """Copy a run folder out of a bucket, to go on with it here; return where it is.

    Args:
        url: The run folder in the bucket.
        runs_dir: Where it is copied to, under its name.

    Raises:
        ConfigError: If there is none, a folder of its name is here, or the bucket does not answer.
    """
    system, root = opened(url)
    run_folder = runs_dir / root.rstrip("/").rpartition("/")[2]
    if run_folder.exists():
        remedy = f"Go on with that one by --resume {run_folder}, or move it away."
        raise ConfigError(expected("--resume", f"no {run_folder} here yet", "one", remedy))
    start = root.rstrip("/") + "/"
    with worded(url, "a run folder that can be read"):
        names = [path.removeprefix(start) for path in system.find(root)]
    wanted = [name for name in names if _NAME.fullmatch(name)]
    if RECORD_FILE not in wanted:
        raise ConfigError(expected(url, "a run folder, with its run.json", "none there"))
    with (
        worded(url, "a run folder that can be read"),
        written_aside(run_folder) as aside,
        ThreadPoolExecutor(NUM_THREADS) as pool,
    ):

        def get(name: str) -> None:
            (aside / name).parent.mkdir(parents=True, exist_ok=True)
            system.get_file(start + name, str(aside / name))

        list(pool.map(get, wanted))
    return run_folder


def parent_url(url: str) -> str:
    """Return the folder of run folders that one is in.

    Example:
        >>> parent_url("s3://bucket/runs/first/")
        's3://bucket/runs'
    """
    return url.rstrip("/").rpartition("/")[0]


def _stamp(path: Path) -> Stamp | None:
    """Return what changes as a file does; None where there is none."""
    try:
        stat = path.stat()
    except FileNotFoundError:
        return None
    return stat.st_size, stat.st_mtime_ns


def _hold(path: Path, aside: Path) -> None:
    """Keep what a file has now under another name, by a link where the disk has those."""
    try:
        aside.hardlink_to(path)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copyfile(path, aside)

"""A copy of a run folder in a bucket: kept up while a search runs, and brought back from there."""

import re
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread

from analysis.mirror import opened
from analysis.study_file import STUDY_FILE
from trainable.errors import ConfigError, expected
from trainable.files import written_aside
from trainable.run_files import RECORD_FILE

PERIOD_S = 5.0
NUM_THREADS = 8
PROBE_FILE = ".probe"
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

    def check(self, *, is_new: bool) -> None:
        """Write something there and delete it again.

        Args:
            is_new: Whether the run has just begun, so that there may be none of its name.

        Raises:
            ConfigError: If the bucket does not answer, cannot be written to, or has such a run.
        """
        with _worded(self.url, "a bucket that can be written to"):
            self._system.pipe_file(f"{self._root}/{PROBE_FILE}", b"")
            self._system.rm_file(f"{self._root}/{PROBE_FILE}")
            is_taken = is_new and self._system.exists(f"{self._root}/{RECORD_FILE}")
        if is_taken:
            remedy = "Give another --name, or go on with that one by --resume."
            raise ConfigError(expected(self.url, "no run of this name", "one", remedy))

    def bring(self) -> None:
        """Bring there what has changed since the last pass, and delete there what is gone.

        Raises:
            Exception: Whatever the bucket's package raises; the next pass takes up from there.
        """
        found = self._found()
        study = found.pop(STUDY_FILE, None)
        with self._copied_study(study) as copy:
            changed = [name for name, stamp in found.items() if self._brought.get(name) != stamp]
            with ThreadPoolExecutor(NUM_THREADS) as pool:
                list(pool.map(lambda name: self._put(name, found[name]), changed))
            if study is not None and copy is not None:
                self._system.put_file(str(copy), f"{self._root}/{STUDY_FILE}")
                self._brought[STUDY_FILE] = study
        for name in self._brought.keys() - found.keys() - {STUDY_FILE}:
            with suppress(FileNotFoundError):
                self._system.rm_file(f"{self._root}/{name}")
            del self._brought[name]

    def _found(self) -> dict[str, Stamp]:
        """Return the files of the run folder, and what changes as each does."""
        found = {}
        for path in self.run_folder.rglob("*"):
            name = path.relative_to(self.run_folder).as_posix()
            if _NAME.fullmatch(name) and not name.startswith(f"{STUDY_FILE}-"):
                with suppress(FileNotFoundError):  # the search has deleted it
                    if path.is_file():
                        stat = path.stat()
                        found[name] = (stat.st_size, stat.st_mtime_ns)
        return found

    def _put(self, name: str, stamp: Stamp) -> None:
        with suppress(FileNotFoundError):
            self._system.put_file(str(self.run_folder / name), f"{self._root}/{name}")
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
            copy.bring()
        except Exception as error:  # noqa: BLE001  each bucket's package has errors of its own
            tell(
                f"{copy.url}: expected to be whole, got '{_said(error)}'. Once it answers again: "
                f"python -m search.run --resume {copy.run_folder}"
            )


def _keep_up(copy: BucketCopy, is_over: Event, tell: Callable[[str], None]) -> None:
    has_failed = False
    while not is_over.wait(PERIOD_S):
        try:
            copy.bring()
        except Exception as error:  # noqa: BLE001  each bucket's package has errors of its own
            if not has_failed:
                tell(f"{copy.url}: not up to date ('{_said(error)}'); it is tried again.")
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
    with _worded(url, "a run folder that can be read"):
        names = [path.removeprefix(start) for path in system.find(root)]
    wanted = [name for name in names if _NAME.fullmatch(name)]
    if RECORD_FILE not in wanted:
        raise ConfigError(expected(url, "a run folder, with its run.json", "none there"))
    with (
        _worded(url, "a run folder that can be read"),
        written_aside(run_folder) as aside,
        ThreadPoolExecutor(NUM_THREADS) as pool,
    ):

        def get(name: str) -> None:
            (aside / name).parent.mkdir(parents=True, exist_ok=True)
            system.get_file(start + name, str(aside / name))

        list(pool.map(get, wanted))
    return run_folder


@contextmanager
def _worded(url: str, what: str) -> Iterator[None]:
    """Word whatever a bucket's package raises: each has errors of its own."""
    try:
        yield
    except Exception as error:
        remedy = "Access is configured outside of this program, as for the bucket's own tools."
        raise ConfigError(expected(url, what, f"'{_said(error)}'", remedy)) from error


def parent_url(url: str) -> str:
    """Return the folder of run folders that one is in.

    Example:
        >>> parent_url("s3://bucket/runs/first/")
        's3://bucket/runs'
    """
    return url.rstrip("/").rpartition("/")[0]


def _said(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__

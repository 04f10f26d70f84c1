"""A run folder in a bucket: kept up while a search runs, and brought back from there."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

from search.bucket_copy import NUM_THREADS, BucketCopy, CopyState, writer_of
from trainable.buckets import is_plain, opened, said, worded
from trainable.errors import ConfigError, expected
from trainable.files import stamp as stamp_of
from trainable.files import written_aside
from trainable.run_files import RECORD_FILE

PERIOD_S = 5.0
STALLED_S = 300.0


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
        if not _ends(thread, copy):
            tell(_not_whole(copy, f"nothing brought in {STALLED_S:.0f} s"))


def _ends(thread: Thread, copy: BucketCopy) -> bool:
    """Wait for the last pass as long as it brings something; return whether it has ended."""
    num_brought = -1
    while thread.is_alive() and num_brought < copy.num_brought:
        num_brought = copy.num_brought
        thread.join(STALLED_S)
    return not thread.is_alive()


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
    try:
        copy.bring(is_last=True)
    except Exception as error:  # noqa: BLE001  each bucket's package has errors of its own
        tell(_not_whole(copy, said(error)))


def _not_whole(copy: BucketCopy, got: str) -> str:
    remedy = f"Once it answers again: python -m search.run --resume {copy.run_folder}"
    return expected(copy.url, "to be whole", f"'{got}'", remedy)


def bring_run(url: str, runs_dir: Path) -> Path:
    """Copy a run folder out of a bucket, to go on with it here; return where it is.

    Args:
        url: The run folder in the bucket.
        runs_dir: Where it is copied to, under its name.

    Raises:
        ConfigError: If there is none, a folder of its name is here, or the bucket does not answer.
    """
    system, root = opened(url)
    run_folder = runs_dir / name_in_bucket(url)
    if run_folder.exists():
        remedy = f"Go on with that one by --resume {run_folder}, or move it away."
        raise ConfigError(expected("--resume", f"no {run_folder} here yet", "one", remedy))
    start = root.rstrip("/") + "/"
    with worded(url, "a run folder that can be read"):
        writer = writer_of(system, root)
        names = [path.removeprefix(start) for path in system.find(root)]
    wanted = [name for name in names if is_plain(name)]
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
        stamps = {name: stamp_of(aside / name) for name in wanted}
        here = {name: stamp for name, stamp in stamps.items() if stamp is not None}
        CopyState((writer,) if writer else (), here).write(aside)
    return run_folder


def parent_url(url: str) -> str:
    """Return the folder of run folders that one is in.

    Example:
        >>> parent_url("s3://bucket/runs/first/")
        's3://bucket/runs'
    """
    return url.rstrip("/").rpartition("/")[0]


def name_in_bucket(url: str) -> str:
    """Return the name of a run folder in a bucket.

    Example:
        >>> name_in_bucket("s3://bucket/runs/first/")
        'first'
    """
    return url.rstrip("/").rpartition("/")[2]

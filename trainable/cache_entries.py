"""What takes room in the cache: who uses it, since when nobody has, and what goes for what is new.

Beside each entry lies a marker, an empty file. Whoever uses the entry holds a shared lock on it,
which ends with the process at the latest; its time of change is when the entry was last opened.
Markers stay when entries go: one that vanished while somebody waits for it would lock nothing.
"""

import errno
import fcntl
import os
import shutil
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from filelock import FileLock

from trainable.byte_size import num_bytes, size_text
from trainable.data.built_once import PARTIAL
from trainable.errors import SearchError, expected
from trainable.files import remove
from trainable.shared_locks import locks_reach_everyone

MARKER = ".used"
ROOM_LOCK = "room.lock"
BLOCK = 4096  # bytes: what a file takes of most file systems is a multiple of it
# All that is ever deleted: the folder of caches may be one where a team keeps other things, too.
_HASH = "[0-9a-f]" * 16
KINDS = (
    f"decoded/v[0-9]*/{_HASH}/[0-9]*x[0-9]*.npy",
    "faces/v[0-9]*_people*_difficulty*_seed*/images",
    f"mirrors/{_HASH}",
    f"buckets/{_HASH}",
)
# Where locks do not reach other machines, what one of them has opened within this time may be in
# use there. Each trial opens its images anew.
WEEK_S = 7 * 86400


class NoRoomError(SearchError):
    """What is to be kept does not fit beside what is in use."""


@dataclass(frozen=True)
class Entry:
    """Something that takes room in the cache and can be made or fetched again.

    Args:
        path: A file or folder.
        used_at: When it was last opened, seconds since 1970.
        size: Bytes that it takes on disk, whole or half-made.
    """

    path: Path
    used_at: float
    size: int


def in_use(entry: Path) -> Callable[[], None]:
    """Mark an entry, which need not exist yet, as opened now and as in use.

    A cache that cannot be written to, or is on a file system without locks, shows neither.

    Returns:
        A function that ends the use.
    """
    try:
        marker = _open_marker(entry)
    except OSError:
        return lambda: None
    with suppress(OSError):
        fcntl.flock(marker, fcntl.LOCK_SH)  # waits where the entry is just being deleted
    with suppress(OSError):
        os.utime(marker)
    return partial(os.close, marker)


_uses: dict[Path, Callable[[], None]] = {}


def in_use_until_exit(entry: Path) -> None:
    """Mark an entry as opened now, and as in use until this process ends."""
    earlier, _uses[entry] = _uses.get(entry), in_use(entry)
    if earlier is not None:
        earlier()


def entry_of(place: Path, cache_dir: Path) -> Path | None:
    """Return the entry of a folder of caches that a place is in, None where it is in none."""
    if not place.is_relative_to(cache_dir):
        return None
    below = place.relative_to(cache_dir)
    return next((cache_dir / path for path in (below, *below.parents) if _is_entry(path)), None)


def entries(cache_dir: Path) -> list[Entry]:
    """Return what takes room in a folder of caches, what was not used for longest first."""
    # Half-made ones first, here as where they are measured: one that is renamed meanwhile counts.
    found = {
        path.with_name(path.name.removesuffix(PARTIAL))
        for kind in KINDS
        for path in (*cache_dir.glob(kind + PARTIAL), *cache_dir.glob(kind))
        if not path.is_symlink()
    }
    return sorted(map(_entry, found), key=lambda entry: (entry.used_at, entry.path))


def whole_blocks(size: int) -> int:
    """Return the bytes that a file of some size takes on disk.

    Example:
        >>> whole_blocks(0), whole_blocks(1), whole_blocks(4096)
        (0, 4096, 4096)
    """
    return -(-size // BLOCK) * BLOCK


def size_on_disk(place: Path) -> int:
    """Return the bytes that a file, or all files below a folder, take on disk; 0 for none."""
    if not place.is_dir():
        return _size_of_file(place)
    files = (Path(folder, name) for folder, _, names in os.walk(place) for name in names)
    return sum(map(_size_of_file, files))


@contextmanager
def room_for(size: int, what: str, *, cache_dir: Path, limit: str | None) -> Iterator[None]:
    """Make room in a cache, and run a block that takes it before anyone else can.

    What was not used for longest is deleted first, and nothing unless that makes room enough.
    What a process uses is not touched.

    Args:
        size: Bytes that are needed.
        what: What they are for.
        cache_dir: Folder of all caches.
        limit: What its entries may take together, such as ``20GiB``; None to delete nothing.

    Raises:
        NoRoomError: If what is in use leaves too little.
    """
    if limit is None:
        yield
        return
    with _room_lock(cache_dir):
        found = entries(cache_dir)
        taken = sum(entry.size for entry in found)
        over = taken + size - num_bytes(limit)
        on_disk = size - shutil.disk_usage(cache_dir).free
        freed = _delete(found, max(over, on_disk), all_or_nothing=True)
        if freed < over:
            raise NoRoomError(too_little(limit, size, what, others=taken - freed))
        yield


def too_little(limit: str, size: int, what: str, *, others: int = 0) -> str:
    """Word that a limit leaves too little room.

    Args:
        limit: What the entries of a cache may take together.
        size: Bytes that are needed.
        what: What they are for.
        others: Bytes of other entries that processes use.

    Example:
        >>> too_little("2GiB", 3 * 2**30, "images at 8x6")
        '--cache-limit: expected at least 3GiB for images at 8x6, got 2GiB.'
    """
    wanted = f"at least {size_text(size + others)} for {what}"
    if not others:
        return expected("--cache-limit", wanted, limit)
    wanted += f" beside {size_text(others)} that is in use"
    return expected("--cache-limit", wanted, limit, "Give more, or wait until less is in use.")


def keep_to(limit: str, *, cache_dir: Path) -> None:
    """Delete what was not used for longest until a cache is within a limit, or all is in use."""
    with _room_lock(cache_dir):
        found = entries(cache_dir)
        _delete(found, sum(entry.size for entry in found) - num_bytes(limit))


def size_in_use(cache_dir: Path, *, apart_from: Collection[Path]) -> int:
    """Return the bytes of entries that processes use, some apart."""
    with _room_lock(cache_dir), ExitStack() as held:
        return sum(
            entry.size
            for entry in entries(cache_dir)
            if entry.path not in apart_from and not held.enter_context(_alone_with(entry))
        )


def remedy_for(error: OSError, limit: str | None) -> str:
    """Return what helps where a cache could not be written, "" where no option does.

    Args:
        error: What the system said.
        limit: What its entries may take together, if that is limited.
    """
    if error.errno not in (errno.ENOSPC, errno.EDQUOT):
        return ""
    elsewhere = "--cache-dir names another place."
    if limit is not None:
        return elsewhere
    return f"--cache-limit SIZE deletes what was not used for longest, {elsewhere}"


def _room_lock(cache_dir: Path) -> FileLock:
    cache_dir.mkdir(parents=True, exist_ok=True)
    return FileLock(cache_dir / ROOM_LOCK, mode=0o666)  # others may share the cache


def _delete(found: Sequence[Entry], lacking: int, *, all_or_nothing: bool = False) -> int:
    """Delete entries that nobody uses, in their order, until so many bytes are free.

    Returns:
        The bytes that are free now; where that is too little and nothing was deleted, those that
        could have been.
    """
    with ExitStack() as held:
        chosen: list[Entry] = []
        for entry in found:
            if sum(of.size for of in chosen) >= lacking:
                break
            if held.enter_context(_alone_with(entry)):
                chosen.append(entry)
        could_be = sum(entry.size for entry in chosen)
        if all_or_nothing and could_be < lacking:
            return could_be
        return sum(entry.size for entry in chosen if _is_deleted(entry))


@contextmanager
def _alone_with(entry: Entry) -> Iterator[bool]:
    """Yield whether nobody uses an entry; if so, nobody begins to during the block."""
    with ExitStack() as held:
        try:
            is_new = not _marker(entry.path).exists()
            marker = _open_marker(entry.path)
            held.callback(os.close, marker)
            fcntl.flock(marker, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if is_new:
                os.utime(marker, (entry.used_at, entry.used_at))  # this look is no use
        except OSError:  # somebody uses it, or the file system has no locks
            yield False
            return
        # It may have been opened since the entries were listed.
        age_s = time.time() - os.fstat(marker).st_mtime
        yield age_s > WEEK_S or locks_reach_everyone(entry.path.parent)


def _is_deleted(entry: Entry) -> bool:
    """Delete an entry; return False where that is not allowed."""
    try:
        remove(entry.path)
        remove(_partial(entry.path))
    except OSError:
        return False
    return True


def _entry(path: Path) -> Entry:
    size = max(size_on_disk(_partial(path)), size_on_disk(path))
    for place in (_marker(path), path, _partial(path)):
        with suppress(OSError):
            return Entry(path, place.stat().st_mtime, size)
    return Entry(path, 0, size)


def _is_entry(path: Path) -> bool:
    kinds = (Path(kind) for kind in KINDS)
    return any(len(path.parts) == len(kind.parts) and path.match(str(kind)) for kind in kinds)


def _size_of_file(file: Path) -> int:
    try:
        return whole_blocks(file.stat().st_size)  # with what is still to be written
    except OSError:
        return 0


def _open_marker(entry: Path) -> int:
    entry.parent.mkdir(parents=True, exist_ok=True)
    marker = _marker(entry)
    try:
        return os.open(marker, os.O_RDWR | os.O_CREAT, 0o666)
    except PermissionError:
        return os.open(marker, os.O_RDONLY)  # another user's


def _marker(entry: Path) -> Path:
    return entry.with_name(entry.name + MARKER)


def _partial(entry: Path) -> Path:
    return entry.with_name(entry.name + PARTIAL)

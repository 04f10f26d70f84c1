"""Run folders in a bucket: what analysis reads of them, copied into the user's cache.

A bucket's names are not trusted: only files that a run folder has are copied, each below the
mirror's own folder.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from trainable.cache_entries import in_use_until_exit
from trainable.cache_place import default_cache_dir
from trainable.errors import ConfigError, expected
from trainable.files import remove, write_json, written_aside
from trainable.run_files import RECORD_FILE

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

MIRRORS_FOLDER = "mirrors"
STATE_FILE = ".mirror.json"
NUM_THREADS = 16
READ_AND_KEPT = "a bucket or folder that can be read, and a cache that can be written"
# What a file system may say of a file that is other after each change of it.
VERSIONS = ("size", "ETag", "etag", "md5Hash", "mtime", "LastModified", "last_modified", "created")
PACKAGES = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "abfs": "adlfs"}
_FOLDERS = r"(?P<run>(?:(?!\.|trials/)[^/\\:\x00-\x1f]+/){0,8})"
_OF_RUN = (
    r"run\.json|space\.py|split\.csv|study\.db(?:-journal|-wal)?"
    r"|files/\d+-[^/\\:\x00-\x1f]+"
)
_OF_TRIAL = (
    r"config\.json|metrics\.csv|val_probs\.npz|confusion\.csv|error\.txt"
    r"|checkpoint/(?P<weights>best\.safetensors)"
)
WANTED = re.compile(rf"{_FOLDERS}(?:{_OF_RUN}|trials/\d{{4,9}}/(?:{_OF_TRIAL}))")


@dataclass(frozen=True)
class RemoteFile:
    """A file of a bucket.

    Args:
        path: Its path there.
        size: Its length in bytes.
        version: What changes when it changes.
    """

    path: str
    size: int
    version: str


@dataclass(frozen=True)
class Mirror:
    """A copy of run folders in a bucket.

    Args:
        url: What is copied.
        folder: Where it is copied to.
        system: How the bucket is read.
        weights: Weights that are in the bucket and copied only on demand, by local path.
    """

    url: str
    folder: Path
    system: "AbstractFileSystem"
    weights: Mapping[Path, RemoteFile] = field(default_factory=dict)

    def url_of(self, path: Path) -> str:
        """Return the URL of a copied file or folder."""
        below = path.relative_to(self.folder).as_posix()
        return self.url if below == "." else f"{self.url.rstrip('/')}/{below}"

    def reworded(self, problem: str) -> str:
        """Return a problem that names copied files with their URLs in place of the copies."""
        return problem.replace(str(self.folder), self.url.rstrip("/"))

    def has_weights(self, file: Path) -> bool:
        """Return whether a trial's weights are in the bucket."""
        return file in self.weights

    def bring_weights(self, file: Path) -> None:
        """Copy a trial's weights, unless that has been done.

        Raises:
            ConfigError: If the bucket does not answer, or the copy cannot be written.
        """
        with FileLock(_lock_of(self.folder)), worded(self.url):
            state = _read_state(self.folder)
            remote, name = self.weights[file], file.relative_to(self.folder).as_posix()
            if state.get(name) != remote.version or not file.is_file():
                _copy(self.system, remote, file)
                write_json(self.folder / STATE_FILE, {**state, name: remote.version})


def is_url(place: str) -> bool:
    """Return whether a text names a place by URL."""
    return "://" in place


def open_url(url: str) -> Path | Mirror:
    """Return the folder that a URL means, or a copy of the bucket as it is now.

    Only what has changed since the last time is copied, each file whole or not at all; what is
    gone from the bucket goes from the copy, too.

    Args:
        url: Such as ``s3://bucket/runs``, ``gs://bucket/runs`` or ``file:///shared/runs``.

    Raises:
        ConfigError: If the URL is of no known kind, its package is not installed, the bucket
            does not answer, or there is no such thing in it.
    """
    from fsspec.implementations.local import LocalFileSystem

    system, root = opened(url)
    if isinstance(system, LocalFileSystem):
        return Path(root)
    digest = hashlib.sha256(url.rstrip("/").encode()).hexdigest()[:16]
    folder = default_cache_dir() / MIRRORS_FOLDER / digest
    with worded(url):
        found = dict(_run_files(system, root))
    if not found:
        raise ConfigError(expected(url, "run folders, each with its run.json", "none there"))
    in_use_until_exit(folder)
    with worded(str(folder)):
        folder.mkdir(parents=True, exist_ok=True)
    with FileLock(_lock_of(folder)), worded(url):
        _bring_up_to_date(system, folder, found)
    weights = {folder / name: remote for name, remote in found.items() if _is_weights(name)}
    return Mirror(url, folder, system, weights)


def opened(url: str) -> tuple["AbstractFileSystem", str]:
    """Return what reads and writes a bucket, and the path there that a URL means.

    Raises:
        ConfigError: If the URL is of no known kind, or its package is not installed.
    """
    import fsspec  # few runs are in a bucket

    kind = url.partition("://")[0]
    try:
        # No listing of an earlier moment, as a process that runs for long would keep.
        opened: tuple[AbstractFileSystem, str] = fsspec.url_to_fs(url, use_listings_cache=False)
    except ImportError as error:
        package = PACKAGES.get(kind, error.name)
        what = f"the package that reads {kind}:// to be installed"
        remedy = f"Try: pip install {package}" if package else ""
        raise ConfigError(expected(url, what, f"'{error}'", remedy)) from error
    except ValueError as error:
        what = "a folder, or the URL of a bucket such as s3://bucket/runs"
        raise ConfigError(expected(url, what, f"'{error}'")) from error
    return opened


@contextmanager
def worded(url: str, what: str = READ_AND_KEPT) -> Iterator[None]:
    """Word whatever a bucket's package raises: each has errors of its own.

    Args:
        url: What is read or written.
        what: What was expected of it.

    Raises:
        ConfigError: In place of any other error.
    """
    try:
        yield
    except ConfigError:
        raise
    except Exception as error:
        remedy = "Access is configured outside of this program, as for the bucket's own tools."
        raise ConfigError(expected(url, what, f"'{said(error)}'", remedy)) from error


def said(error: Exception) -> str:
    """Return what an error says in a line, at least its kind."""
    return " ".join(str(error).split()) or type(error).__name__


def _run_files(system: "AbstractFileSystem", root: str) -> Iterator[tuple[str, RemoteFile]]:
    """Yield the files of run folders below a place, by their path below it."""
    start = root.rstrip("/") + "/"
    listed: Mapping[str, Mapping[str, Any]] = system.find(root, detail=True)
    names = {p.removeprefix(start): p for p in listed if p.startswith(start)}
    matches = [match for name in names if (match := WANTED.fullmatch(name))]
    runs = {match["run"] for match in matches if match[0] == match["run"] + RECORD_FILE}
    for match in matches:
        if match["run"] in runs:
            path = names[match[0]]
            info = listed[path]
            version = " ".join(f"{key}={info[key]}" for key in VERSIONS if key in info)
            yield match[0], RemoteFile(path, int(info["size"]), version)


def _is_weights(name: str) -> bool:
    match = WANTED.fullmatch(name)
    return match is not None and match["weights"] is not None


def _bring_up_to_date(
    system: "AbstractFileSystem", folder: Path, found: Mapping[str, RemoteFile]
) -> None:
    state = _read_state(folder)
    for name in [n for n, v in state.items() if n not in found or found[n].version != v]:
        if WANTED.fullmatch(name):
            remove(folder / name)
        del state[name]
    needed = [
        name
        for name in found
        if not _is_weights(name) and (name not in state or not (folder / name).is_file())
    ]

    def bring(name: str) -> None:
        _copy(system, found[name], folder / name)
        state[name] = found[name].version

    try:
        with ThreadPoolExecutor(NUM_THREADS) as pool:
            list(pool.map(bring, needed))
    finally:
        write_json(folder / STATE_FILE, state)


def _copy(system: "AbstractFileSystem", remote: RemoteFile, file: Path) -> None:
    with written_aside(file) as aside:
        system.get_file(remote.path, str(aside))
        if (size := aside.stat().st_size) != remote.size:
            raise OSError(f"{remote.path} changed while it was read: {remote.size} bytes, {size}")


def _read_state(folder: Path) -> dict[str, str]:
    """Return the versions of the files that were copied; none where that is not known."""
    try:
        state = json.loads((folder / STATE_FILE).read_text())
    except (OSError, ValueError):
        return {}
    return state if isinstance(state, dict) else {}


def _lock_of(folder: Path) -> Path:
    return folder.with_suffix(".lock")

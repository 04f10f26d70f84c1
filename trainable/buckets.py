"""Buckets, by URL: how one is opened, what its errors say, copies of its files on this machine.

A bucket's names are not trusted: what is copied has a plain name, below the copy's own folder.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from trainable.errors import ConfigError, expected
from trainable.files import remove, write_json, written_aside

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

    from trainable.data.threads import Progress

STATE_FILE = ".mirror.json"
STATE_PERIOD_S = 30.0  # what is copied after it was written is copied again after a crash
NUM_THREADS = 16
READ_AND_KEPT = "a bucket or folder that can be read, and a cache that can be written"
# What a file system may say of a file that is other after each change of it.
VERSIONS = ("size", "ETag", "etag", "md5Hash", "mtime", "LastModified", "last_modified", "created")
PACKAGES = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "abfs": "adlfs"}
_PLAIN = re.compile(r"(?:(?!\.)[^/\\:\x00-\x1f]+/)*(?!\.)[^/\\:\x00-\x1f]+")


@dataclass(frozen=True)
class RemoteFile:
    """A file of a bucket.

    Args:
        path: Its path there.
        size: Its length in bytes; None where that is not known.
        version: What changes when it changes.
    """

    path: str
    size: int | None
    version: str


@dataclass(frozen=True)
class LocalCopy:
    """A copy of files of a bucket, each whole or not at all.

    Args:
        url: What is copied.
        folder: Where it is copied to.
        system: How the bucket is read.
        root: The path there that the URL means.
    """

    url: str
    folder: Path
    system: "AbstractFileSystem"
    root: str

    def url_of(self, path: Path) -> str:
        """Return the URL of a copied file or folder."""
        below = path.relative_to(self.folder).as_posix()
        return self.url if below == "." else f"{self.url.rstrip('/')}/{below}"

    def reworded(self, problem: str) -> str:
        """Return a problem that names copied files with their URLs in place of the copies."""
        return problem.replace(str(self.folder), self.url.rstrip("/"))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let no other process change the copy while the block runs.

        Raises:
            ConfigError: In place of whatever goes wrong with the bucket or the copy.
        """
        with worded(str(self.folder)):
            self.folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self.folder.with_suffix(".lock")), worded(self.url):
            yield

    def listed(
        self, is_wanted: Callable[[str], bool], *, below: str = ""
    ) -> dict[str, RemoteFile]:
        """Return the wanted files of the bucket as they are now, by their path below the root.

        Args:
            is_wanted: Says by its path whether a file is wanted.
            below: The only folder that is looked into; all of them when empty.
        """
        start = self.root.rstrip("/") + "/"
        place = (start + below).rstrip("/")
        listing: Mapping[str, Mapping[str, Any]] = self.system.find(place, detail=True)
        names = {p.removeprefix(start): info for p, info in listing.items() if p.startswith(start)}
        return {
            name: _remote_file(start + name, info)
            for name, info in names.items()
            if is_wanted(name)
        }

    def looked_up(self, name: str) -> RemoteFile:
        """Return one file of the bucket as it is now.

        Raises:
            FileNotFoundError: If there is none.
        """
        path = f"{self.root.rstrip('/')}/{name}"
        info = self.system.info(path)
        if info.get("type") != "file":
            raise FileNotFoundError(path)
        return _remote_file(path, info)

    def bring(self, found: Mapping[str, RemoteFile], progress: "Progress | None" = None) -> None:
        """Copy those of some files that are not there as they are in the bucket.

        Args:
            found: The files, by their path in the copy, which is a plain one.
            progress: Called with (files copied, files to copy).
        """
        from trainable.data.threads import in_threads  # slow to import, for what only looks

        state = self._read_state()
        needed = [name for name, remote in found.items() if not self._has(state, name, remote)]
        if not needed:
            return

        def copied(name: str) -> str:
            self._copy(found[name], self.folder / name)
            return name

        written_at = monotonic()
        try:
            for name in in_threads(copied, needed, progress, num_threads=NUM_THREADS):
                state[name] = found[name].version
                if monotonic() - written_at > STATE_PERIOD_S:
                    self._write_state(state)
                    written_at = monotonic()
        finally:
            self._write_state(state)

    def drop(self, is_gone: Callable[[str, str], bool]) -> None:
        """Delete copied files.

        Args:
            is_gone: Says by path and version of a file whether it is to be deleted.
        """
        state = self._read_state()
        gone = [name for name, version in state.items() if is_gone(name, version)]
        for name in gone:
            if is_plain(name):
                remove(self.folder / name)
            del state[name]
        if gone:
            self._write_state(state)

    def _has(self, state: Mapping[str, str], name: str, remote: RemoteFile) -> bool:
        return state.get(name) == remote.version and (self.folder / name).is_file()

    def _copy(self, remote: RemoteFile, file: Path) -> None:
        with written_aside(file) as aside:
            self.system.get_file(remote.path, str(aside))
            size = aside.stat().st_size
            if remote.size not in (size, None):
                sizes = f"{remote.size} bytes, {size}"
                raise OSError(f"{remote.path} changed while it was read: {sizes}")

    def _read_state(self) -> dict[str, str]:
        """Return the versions of the files that were copied; none where that is not known."""
        try:
            state = json.loads((self.folder / STATE_FILE).read_text())
        except (OSError, ValueError):
            return {}
        return state if isinstance(state, dict) else {}

    def _write_state(self, state: Mapping[str, str]) -> None:
        write_json(self.folder / STATE_FILE, dict(state))


def is_url(place: str) -> bool:
    """Return whether a text names a place by URL."""
    return "://" in place


def is_plain(name: str) -> bool:
    r"""Return whether a path leads to a file below a folder on any system, and none is hidden.

    Example:
        >>> [is_plain(name) for name in ("a/b.png", "../b.png", "/b.png", "a//b.png", "a/.b.png")]
        [True, False, False, False, False]
    """
    return _PLAIN.fullmatch(name) is not None


def copy_folder(url: str, parent: Path) -> Path:
    """Return where a copy of what a URL means is kept, below a folder of copies."""
    return parent / hashlib.sha256(url.rstrip("/").encode()).hexdigest()[:16]


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


def local_path(url: str) -> Path | None:
    """Return the path on this machine that a URL such as ``file:///photos`` means, if it does.

    Raises:
        ConfigError: As ``opened`` does.
    """
    from fsspec.implementations.local import LocalFileSystem

    system, root = opened(url)
    return Path(root) if isinstance(system, LocalFileSystem) else None


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


def common_folder(names: Iterable[str]) -> str:
    """Return the deepest folder that some files are all in, "" for the one they are relative to.

    Example:
        >>> common_folder(["a/b/0.png", "a/c/0.png"]), common_folder(["a/0.png", "b/0.png"])
        ('a', '')
    """
    folders = [name.split("/")[:-1] for name in names]
    if not folders:
        return ""
    first, last = min(folders), max(folders)
    pairs = zip(first, last, strict=False)
    num_shared = next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(first), len(last)))
    return "/".join(first[:num_shared])


def _remote_file(path: str, info: Mapping[str, Any]) -> RemoteFile:
    size = info.get("size")
    version = " ".join(f"{key}={info[key]}" for key in VERSIONS if key in info)
    return RemoteFile(path, None if size is None else int(size), version)

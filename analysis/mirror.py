"""Run folders in a bucket: what analysis reads of them, copied into the user's cache."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from trainable.buckets import LocalCopy, RemoteFile, copy_folder, local_path, opened, worded
from trainable.cache_entries import in_use_until_exit
from trainable.cache_place import default_cache_dir
from trainable.errors import ConfigError, expected
from trainable.run_files import RECORD_FILE

MIRRORS_FOLDER = "mirrors"
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
class Mirror(LocalCopy):
    """A copy of run folders in a bucket.

    Args:
        weights: Weights that are in the bucket and copied only on demand, by local path.
    """

    weights: Mapping[Path, RemoteFile] = field(default_factory=dict)

    def has_weights(self, file: Path) -> bool:
        """Return whether a trial's weights are in the bucket."""
        return file in self.weights

    def bring_weights(self, file: Path) -> None:
        """Copy a trial's weights, unless that has been done.

        Raises:
            ConfigError: If the bucket does not answer, or the copy cannot be written.
        """
        with self.locked():
            self.bring({file.relative_to(self.folder).as_posix(): self.weights[file]})


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
    if (path := local_path(url)) is not None:
        return path
    copy = LocalCopy(url, copy_folder(url, default_cache_dir() / MIRRORS_FOLDER), *opened(url))
    with worded(url):
        found = dict(_run_files(copy))
    if not found:
        raise ConfigError(expected(url, "run folders, each with its run.json", "none there"))
    in_use_until_exit(copy.folder)
    weights = {name: remote for name, remote in found.items() if _is_weights(name)}
    with copy.locked():
        copy.drop(
            lambda name, version: (
                name not in found or (name in weights and weights[name].version != version)
            )
        )
        copy.bring({name: remote for name, remote in found.items() if name not in weights})
    by_path = {copy.folder / name: remote for name, remote in weights.items()}
    return Mirror(copy.url, copy.folder, copy.system, copy.root, by_path)


def _run_files(copy: LocalCopy) -> Iterator[tuple[str, RemoteFile]]:
    """Yield the files of run folders below a place, by their path below it."""
    listed = copy.listed(lambda name: WANTED.fullmatch(name) is not None)
    matches = [match for name in listed if (match := WANTED.fullmatch(name))]
    runs = {match["run"] for match in matches if match[0] == match["run"] + RECORD_FILE}
    yield from ((match[0], listed[match[0]]) for match in matches if match["run"] in runs)


def _is_weights(name: str) -> bool:
    match = WANTED.fullmatch(name)
    return match is not None and match["weights"] is not None

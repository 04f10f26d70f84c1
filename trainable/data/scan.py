"""One pass over all images before anything is trained: what they are, and whether they decode."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from trainable.data.decode import check_image, read_file
from trainable.data.fingerprint import HASH_BYTES, content_hash, fingerprint
from trainable.data.index import DataIndex
from trainable.data.problems import first_few
from trainable.data.threads import Progress, in_threads
from trainable.errors import ConfigError, expected
from trainable.files import write_json


@dataclass(frozen=True)
class BrokenImage:
    """An image that cannot be used.

    Args:
        path: Its path in the index.
        reason: Why.
    """

    path: str
    reason: str


@dataclass(frozen=True)
class ScannedIndex:
    """An index whose images all decode.

    Args:
        index: The index without broken images.
        fingerprint: 16 hexadecimal digits that change with any image, label or person.
        broken: The images left out.
        hashes: A hash of each image's content, in the order of the index.
    """

    index: DataIndex
    fingerprint: str
    broken: tuple[BrokenImage, ...]
    hashes: tuple[str, ...]


@dataclass(frozen=True)
class _Finding:
    """What a look at one file gives: a hash, or the reason why there is none."""

    hash: str = ""
    reason: str = ""


def scan(
    index: DataIndex, cache_dir: Path, max_broken: int = 0, *, progress: Progress | None = None
) -> ScannedIndex:
    """Hash and check all images; leave out broken ones.

    Images are read once: as long as all sizes and times of change stay the same, what was found
    is read from ``<cache_dir>/scans``.

    Args:
        index: An index of images.
        cache_dir: Folder of all caches.
        max_broken: Number of broken images that are left out without an error.
        progress: Called with (images scanned, images in all).

    Raises:
        ConfigError: If more than ``max_broken`` images are broken.
    """
    findings = _recalled_findings(index, cache_dir, progress)
    whole = [not finding.reason for finding in findings]
    paths = index.table["path"]
    broken = [BrokenImage(p, f.reason) for p, f in zip(paths, findings, strict=True) if f.reason]
    if len(broken) > max_broken:
        raise ConfigError(_too_many(index, broken, max_broken))
    kept = index.with_table(index.table[whole])
    hashes = tuple(finding.hash for finding in findings if not finding.reason)
    return ScannedIndex(kept, fingerprint(kept.table, hashes), tuple(broken), hashes)


def _recalled_findings(
    index: DataIndex, cache_dir: Path, progress: Progress | None
) -> list[_Finding]:
    paths = [index.root / path for path in index.table["path"]]
    memo = cache_dir / "scans" / f"{_listing_key(paths)}.json"
    findings = list(_read_findings(memo))
    if len(findings) != len(paths):
        findings = list(in_threads(_look_at, paths, progress))
        write_json(memo, [[finding.hash, finding.reason] for finding in findings])
    return findings


def _listing_key(paths: Sequence[Path]) -> str:
    """Return a hash of all paths with their sizes and times of change."""
    listing = hashlib.blake2b(digest_size=HASH_BYTES)
    for path in paths:
        try:
            stat = path.stat()
            # The second time cannot be set back, as copying and unpacking do with the first.
            facts = (path, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
            listing.update(("\0".join(map(str, facts)) + "\n").encode())
        except OSError:
            listing.update(f"{path}\0gone\n".encode())
    return listing.hexdigest()


def _read_findings(memo: Path) -> Iterator[_Finding]:
    """Yield what an earlier scan found; nothing when there was none or its file is damaged."""
    try:
        content = json.loads(memo.read_text())
        yield from [_Finding(str(hash_), str(reason)) for hash_, reason in content]
    except (OSError, ValueError, TypeError):
        return


def _look_at(path: Path) -> _Finding:
    try:
        data = read_file(path)
        check_image(data)
    except ValueError as error:
        return _Finding(reason=str(error))
    return _Finding(hash=content_hash(data))


def _too_many(index: DataIndex, broken: Sequence[BrokenImage], max_broken: int) -> list[str]:
    what = f"at most {max_broken} unreadable images in {index.root}"
    remedy = f"Mend or remove them, or pass --max-broken {len(broken)} to leave them out."
    named = first_few([f"{image.path}: {image.reason}." for image in broken])
    if len(broken) == 1:
        return [expected("data", what, 1, f"{named[0]} {remedy}")]
    return [expected("data", what, len(broken), remedy), *(f"  {line}" for line in named)]

"""Whether a lock on a file also holds on the other machines that see it."""

from collections.abc import Iterator
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")
# Whoever has a file of these open is on this machine.
LOCAL = frozenset({"btrfs", "ext2", "ext3", "ext4", "f2fs", "overlay", "tmpfs", "xfs", "zfs"})
# The option with which a shared one carries locks to its server, "" where it always does.
SHARED = {"nfs": "local_lock=none", "nfs4": "local_lock=none", "lustre": "flock", "ceph": ""}


def locks_reach_everyone(folder: Path) -> bool:
    """Return whether locks on files of a folder are known to hold for all who can open them.

    Where the system does not say what is mounted, as on a Mac, they are taken to.
    """
    try:
        mounts = MOUNTS.read_text()
    except OSError:
        return True
    place = folder.resolve()
    found = [mount for mount in _mounts(mounts) if place.is_relative_to(mount[0])]
    # Of two at one place the later one covers the other.
    _, kind, options = max(reversed(found), key=lambda mount: len(mount[0].parts))
    if kind in LOCAL:
        return True
    return kind in SHARED and (not SHARED[kind] or SHARED[kind] in options)


def _mounts(text: str) -> Iterator[tuple[Path, str, list[str]]]:
    """Yield place, kind and options of each mounted file system."""
    for line in text.splitlines():
        of_place, _, of_system = line.partition(" - ")
        place = of_place.split(" ")[4].encode("latin-1", "replace").decode("unicode_escape")
        kind, _, options = of_system.split(" ", 2)
        yield Path(place), kind, options.split(",")

from pathlib import Path

import pytest

from trainable import shared_locks
from trainable.shared_locks import locks_reach_everyone

MOUNTS = r"""22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard
30 22 0:30 / /shared rw,relatime - nfs4 server:/a rw,vers=4.2,local_lock=none,addr=10.0.0.1
31 22 0:31 / /own rw,relatime - nfs server:/b rw,vers=3,nolock,local_lock=all
32 22 0:32 / /lustre rw - lustre mds:/a rw,flock,lazystatfs
33 22 0:33 / /localflock rw - lustre mds:/a rw,localflock
34 22 0:34 / /windows rw - cifs //server/a rw,nobrl
35 22 0:35 / /two\040words rw - cifs //server/a rw
36 22 0:36 / /covered rw - cifs //server/a rw
37 22 0:37 / /covered rw - tmpfs tmpfs rw
38 30 0:38 / /shared/scratch rw - xfs /dev/vdb rw
39 22 0:39 / /bucket rw - fuse.s3fs s3fs rw,user_id=0
"""


@pytest.fixture(autouse=True)
def mounts(tmp_path, monkeypatch) -> Path:
    file = tmp_path / "mountinfo"
    file.write_text(MOUNTS)
    monkeypatch.setattr(shared_locks, "MOUNTS", file)
    return file


@pytest.mark.parametrize(
    "folder",
    ["/home/me", "/shared/cache", "/sharedbutnot", "/lustre", "/covered/a", "/shared/scratch/a"],
)
def test_locks_hold_where_all_that_see_a_file_keep_to_them(folder):
    assert locks_reach_everyone(Path(folder))


@pytest.mark.parametrize(
    "folder", ["/own/cache", "/localflock", "/windows/a", "/two words/a", "/bucket"]
)
def test_locks_of_other_machines_may_be_unknown(folder):
    assert not locks_reach_everyone(Path(folder))


def test_where_nothing_says_what_is_mounted_locks_are_taken_to_hold(mounts):
    mounts.unlink()
    assert locks_reach_everyone(Path("/windows"))

"""The depot as an actor of a real Ray."""

import errno
from io import BytesIO
from pathlib import Path

import pytest
import ray

from search.remote_depot import GONE, depot_here
from trainable.depot import MARK_FILE, PIECE_BYTES, files_of
from trainable.files import UnwritableError
from trainable.ownership import OWNER_FILE, NotOwnerError, end_ownership

STORE_BYTES = 78 * 2**20  # the least that Ray allows is 75 MiB

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def _ray():
    ray.init(
        address="local",
        num_cpus=1,
        include_dashboard=False,
        object_store_memory=STORE_BYTES,
        log_to_driver=False,
    )
    yield
    ray.shutdown()


@pytest.mark.usefixtures("_ray")
@pytest.mark.parametrize("size", [0, 1, PIECE_BYTES, 9 * PIECE_BYTES + 5])
def test_what_is_sent_is_what_is_fetched(tmp_path, size):
    content = bytes(range(256)) * (size // 256 + 1)
    content = content[:size]
    with depot_here([tmp_path]) as depot:
        token = depot.claim(tmp_path / "trial")
        depot.send(BytesIO(content), tmp_path / "trial" / ".sent-1", "a/b")
        depot.settle(tmp_path / "trial" / ".sent-1", ["a"], [], token=token)
        assert depot.names(tmp_path / "trial") == ["a/b"] == files_of(tmp_path / "trial")
        fetched = BytesIO()
        depot.fetch(tmp_path / "trial" / "a" / "b", fetched)
    assert fetched.getvalue() == content


@pytest.mark.usefixtures("_ray")
def test_a_worker_hears_what_the_depot_has_to_say(tmp_path):
    trial = tmp_path / "trial"
    with depot_here([tmp_path]) as depot:
        assert (tmp_path / MARK_FILE).exists() is False
        assert depot.mark(tmp_path) == (tmp_path / MARK_FILE).read_text()
        token = depot.claim(trial)
        depot.check(trial, token)
        end_ownership(trial)
        with pytest.raises(NotOwnerError, match="another worker's by now, or nobody's"):
            depot.check(trial, token)
        with pytest.raises(NotOwnerError, match="another worker's by now, or nobody's"):
            depot.settle(trial / ".sent-1", [], [], token=token)
        with pytest.raises(UnwritableError) as raised:
            depot.send(BytesIO(b"content"), Path("/dev"), "full")
        assert (raised.value.errno, raised.value.filename) == (errno.ENOSPC, "/dev/full")
    assert not (tmp_path / MARK_FILE).exists()
    with pytest.raises(NotOwnerError, match=GONE):
        depot.check(trial, token)


@pytest.mark.usefixtures("_ray")
def test_what_a_lost_worker_was_sending_goes_when_the_search_ends(tmp_path):
    trial = tmp_path / "trials" / "0000"
    with depot_here([tmp_path]) as depot:
        depot.claim(trial)
        depot.send(BytesIO(b"content"), trial / ".sent-1", "a")
        assert (trial / ".sent-1" / "a").exists()
    assert [path.name for path in trial.iterdir()] == [OWNER_FILE]


@pytest.mark.usefixtures("_ray")
def test_a_depot_whose_process_is_killed_is_there_again_with_the_same_mark(tmp_path):
    with depot_here([tmp_path]) as depot:
        mark = depot.mark(tmp_path)
        ray.kill(ray.get_actor(depot.name), no_restart=False)
        assert depot.mark(tmp_path) == mark

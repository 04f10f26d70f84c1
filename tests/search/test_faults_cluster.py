"""Faults of a cluster's machines, made to happen for real on several raylets of this machine."""

import pytest
import ray
from optuna.trial import TrialState
from pandas.testing import assert_frame_equal
from ray.cluster_utils import Cluster

pytestmark = pytest.mark.slow

STORE_BYTES = 78 * 2**20  # the least that Ray allows is 75 MiB
THERE = ("--gpus-per-trial", "0", "--address")
MACHINE = {"num_cpus": 1, "object_store_memory": STORE_BYTES}


@pytest.fixture(scope="module")
def cluster():
    """Return a cluster of a head without cores and one machine with one."""
    head = {"num_cpus": 0, "object_store_memory": STORE_BYTES, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    cluster.add_node(**MACHINE)
    yield cluster
    cluster.shutdown()


@pytest.fixture
def full_object_stores(cluster):
    """Fill the object store of every machine to beyond its size for the time of a test."""

    @ray.remote(num_cpus=0, scheduling_strategy="SPREAD")
    class Hoard:
        def __init__(self):
            self.kept = [ray.put(bytes(2**21)) for _ in range(STORE_BYTES // 2**21 + 8)]

        def num_kept(self):
            return len(self.kept)

    # A machine that an earlier test removed counts as alive for some seconds.
    cluster.wait_for_nodes()
    ray.init(address=cluster.address, log_to_driver=False)
    try:
        hoards = [Hoard.remote() for node in ray.nodes() if node["Alive"]]
        kept = ray.get([hoard.num_kept.remote() for hoard in hoards])
        assert min(kept) * 2**21 > STORE_BYTES
        yield
    finally:
        ray.shutdown()


@pytest.fixture
def add_broken_machine(cluster, tmp_path):
    """Return a function that adds a machine where no trial can start: a library does not load."""
    (tmp_path / "cv2.py").write_text("raise ImportError('libGL.so.1: cannot open it')")
    added = []

    def add():
        added.append(cluster.add_node(**MACHINE, env_vars={"PYTHONPATH": str(tmp_path)}))
        return added[0]

    yield add
    for machine in added:
        cluster.remove_node(machine)


def test_a_machine_where_trials_fail_one_after_the_other_gets_no_more(
    start, cluster, add_broken_machine
):
    epochs = ("--max-epochs", "80", "--grace-period", "80", "--trials", "5")
    options = ("--max-concurrent", "2", "--max-failures", "0")
    search = start(*epochs, *options, *THERE, cluster.address)
    search.wait_for_epochs(1)
    broken = add_broken_machine()
    printed = search.finished()
    assert f"(Ray's node {broken.node_id[:8]}): 3 trials in a row failed there" in printed
    trials = search.trials()
    reasons = [t.user_attrs["reason"] for t in trials if t.state is TrialState.FAIL]
    assert reasons == ["ImportError: libGL.so.1: cannot open it"] * 3
    complete = [trial for trial in trials if trial.state is TrialState.COMPLETE]
    assert [max(trial.intermediate_values) for trial in complete] == [80, 80]


def test_trials_of_a_machine_that_is_removed_go_on_elsewhere(start, cluster):
    machine = cluster.add_node(**MACHINE)
    options = ("--max-epochs", "60", "--grace-period", "60", "--trials", "2")
    search = start(*options, *THERE, cluster.address)
    search.wait_for(lambda: len(search.lengths()) == 2 and search.num_epochs() >= 5)
    before = search.curves()
    cluster.remove_node(machine, allow_graceful=False)
    printed = search.finished()
    assert "its process died; it is tried again from its last epoch" in printed
    trials = search.trials()
    assert [trial.state for trial in trials] == [TrialState.COMPLETE] * 2
    assert [sorted(trial.intermediate_values) for trial in trials] == [list(range(1, 61))] * 2
    # Times tell an epoch that is trained again from the one that was.
    for number, curve in before.items():
        assert_frame_equal(search.curves()[number].head(len(curve)), curve)


def test_full_object_stores_stop_no_search(start, cluster, full_object_stores):
    options = ("--max-epochs", "2", "--grace-period", "2", "--trials", "2")
    search = start(*options, *THERE, cluster.address)
    search.finished()
    assert [trial.state for trial in search.trials()] == [TrialState.COMPLETE] * 2

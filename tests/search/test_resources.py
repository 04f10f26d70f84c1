import pytest

from search.options import SearchOptions
from search.resources import Available, Resources, _usable_cpus, share_out
from trainable.errors import ConfigError


def shared(available: Available | None, **options) -> Resources:
    options = {"space": "s.py", "name": "run", "cache_dir": "c"} | options
    return share_out(SearchOptions(**options), available)


@pytest.mark.parametrize(
    ("available", "options", "cpus", "gpus", "concurrent"),
    [
        (Available(2, 0), {}, 1, 0, 2),
        (Available(8, 0), {"trials": 3}, 1, 0, 3),
        (Available(8, 0), {"cpus_per_trial": 3}, 3, 0, 2),
        (Available(8, 0), {"max_concurrent": 5}, 1, 0, 5),
        (Available(2, 0), {"max_concurrent": 5}, 1, 0, 2),
        (Available(16, 1), {}, 16, 1, 1),
        (Available(16, 4), {}, 4, 1, 4),
        (Available(16, 4), {"gpus_per_trial": 0.25}, 1, 0.25, 16),
        (Available(16, 4), {"gpus_per_trial": 0.4}, 2, 0.4, 8),
        (Available(16, 4), {"gpus_per_trial": 2}, 8, 2, 2),
        (Available(16, 4), {"gpus_per_trial": 0}, 1, 0, 16),
        (Available(2, 4), {}, 1, 1, 2),
    ],
)
def test_what_there_is_is_shared_out(available, options, cpus, gpus, concurrent):
    assert shared(available, **options) == Resources(cpus, gpus, concurrent, available)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cpus_per_trial": 3}, "--cpus-per-trial: expected at most the 2 CPU cores.*got 3"),
        ({"gpus_per_trial": 1}, "--gpus-per-trial: expected at most the 0 GPUs.*on the CPU"),
    ],
)
def test_more_than_there_is_is_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        shared(Available(2, 0), **options)


def test_on_a_cluster_the_gpus_of_a_trial_must_be_given():
    with pytest.raises(ConfigError, match=r"--gpus-per-trial: .*together with --address auto"):
        shared(None, address="auto")


def test_on_a_cluster_as_many_trials_as_wanted_may_run():
    assert shared(None, address="auto", gpus_per_trial=0.5) == Resources(1, 0.5, 50, None)


def test_a_trial_has_at_least_one_thread():
    assert Resources(0.5, 0, 4, None).threads_per_trial == 1
    assert Resources(3, 0, 4, None).threads_per_trial == 3


@pytest.mark.parametrize(("text", "limit"), [("50000 100000", 1), ("100000 100000", 1)])
def test_a_container_may_use_the_cores_of_its_quota(tmp_path, text, limit):
    (tmp_path / "cpu.max").write_text(text)
    assert _usable_cpus(tmp_path / "cpu.max") == limit


def test_without_a_quota_all_cores_may_be_used(tmp_path):
    (tmp_path / "cpu.max").write_text("max 100000")
    assert _usable_cpus(tmp_path / "cpu.max") == _usable_cpus(tmp_path / "none")

import pytest

from search.options import SearchOptions
from search.resources import (
    Available,
    Resources,
    available_here,
    missing_gpus,
    share_out,
    share_out_nodes,
)
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
        (Available(8, 0), {"max_concurrent": "25%"}, 1, 0, 2),
        (Available(16, 4), {"max_concurrent": "50%"}, 4, 1, 2),
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


@pytest.mark.parametrize(
    ("available", "options", "cpus", "per_gpu", "concurrent"),
    [
        (Available(16, 1), {}, 2, 8, 8),
        (Available(64, 1), {}, 8, 8, 8),
        (Available(16, 4), {}, 1, 4, 16),
        (Available(16, 1), {"cpus_per_trial": 4}, 4, 4, 4),
        (Available(16, 1), {"trials": 3}, 5, 3, 3),
        (Available(16, 2), {"max_concurrent": 3}, 4, 2, 3),
        (Available(16, 2), {"max_concurrent": "50%"}, 1, 8, 8),
        (Available(2, 4), {}, 1, 1, 2),
    ],
)
def test_gpus_are_shared_by_as_many_trials_as_there_are_cores_for(
    available, options, cpus, per_gpu, concurrent
):
    expected = Resources(cpus, 1 / per_gpu, concurrent, available, per_gpu, available.gpus)
    assert shared(available, gpus_per_trial="auto", **options) == expected


def test_without_a_gpu_nothing_is_shared_and_the_user_told():
    options = SearchOptions(space="s.py", name="run", cache_dir="c", gpus_per_trial="auto")
    resources = share_out(options, Available(4, 0))
    assert resources == Resources(1, 0, 4, Available(4, 0))
    [note] = missing_gpus(options, resources)
    assert note.startswith("--gpus-per-trial auto: this machine has no GPU to share")
    assert missing_gpus(options, share_out(options, Available(4, 1))) == ()
    assert missing_gpus(options, share_out_nodes(options, [Available(4, 0)]))[0].count("cluster")


def test_gpus_of_a_cluster_are_shared_as_its_scarcest_cores_allow():
    assert of_nodes(gpus_per_trial="auto") == Resources(1, 0.25, 12, None, 4, 3)
    assert of_nodes((Available(8, 2), Available(2, 1)), gpus_per_trial="auto").per_gpu == 2


def test_gpus_can_be_simulated(monkeypatch):
    monkeypatch.setenv("SEARCH_SIMULATED_GPUS", "3x64MiB")
    assert available_here().gpus == 3


def test_on_a_cluster_a_trial_gets_a_gpu_and_its_share_of_the_cores_where_there_are_any():
    assert of_nodes() == Resources(4, 1, 3, None)
    assert of_nodes((Available(12, 2), Available(4, 1))) == Resources(4, 1, 3, None)
    assert of_nodes((Available(4, 0), Available(2, 0))) == Resources(1, 0, 6, None)


def test_on_a_cluster_as_many_trials_as_wanted_may_run():
    assert shared(None, address="auto", gpus_per_trial=0.5) == Resources(1, 0.5, 50, None)


NODES = (Available(0, 0), Available(8, 2), Available(4, 1))


def of_nodes(nodes: tuple[Available, ...] = NODES, **options) -> Resources:
    places = {"space": "s.py", "name": "run", "cache_dir": "c", "address": "auto"}
    return share_out_nodes(SearchOptions(**(places | options)), nodes)


@pytest.mark.parametrize(
    ("options", "concurrent"),
    [
        ({"gpus_per_trial": 1}, 3),
        ({"gpus_per_trial": 0.5}, 6),
        ({"gpus_per_trial": 0, "cpus_per_trial": 3}, 3),
        ({"gpus_per_trial": 0, "trials": 5}, 5),
        ({"gpus_per_trial": 1, "max_concurrent": 2}, 2),
        ({"gpus_per_trial": 1, "max_concurrent": 9}, 9),
        ({"gpus_per_trial": 0.5, "max_concurrent": "50%"}, 3),
        ({"gpus_per_trial": 0.5, "max_concurrent": "50%", "trials": 2}, 2),
        ({"gpus_per_trial": 1, "max_concurrent": "1%"}, 1),
    ],
)
def test_on_a_cluster_as_many_trials_run_as_its_machines_hold(options, concurrent):
    assert of_nodes(**options).max_concurrent == concurrent


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"gpus_per_trial": 3}, "^--gpus-per-trial: expected at most the 2 GPUs of its largest m"),
        (
            {"gpus_per_trial": 0, "cpus_per_trial": 9},
            "^--cpus-per-trial: expected at most the 8 CPU cores of its largest machine, got 9",
        ),
    ],
)
def test_a_trial_that_no_machine_of_a_cluster_can_hold_is_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        of_nodes(**options)


def test_cores_and_gpus_of_different_machines_hold_no_trial():
    with pytest.raises(
        ConfigError, match=r"^--cpus-per-trial: expected what one machine .* 2 GPU"
    ):
        of_nodes((Available(8, 0), Available(1, 2)), gpus_per_trial=2, cpus_per_trial=4)
    with pytest.raises(ConfigError, match=r"^--cpus-per-trial: expected what one machine"):
        of_nodes((), gpus_per_trial=0)

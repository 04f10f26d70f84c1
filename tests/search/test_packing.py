"""Which share of a GPU each trial is given, and how many begin."""

from dataclasses import replace

import pytest
from optuna.trial import create_trial

from analysis.study_file import MEASURED
from search.packing import Packing
from search.resources import Resources
from trainable.config import parse_config
from trainable.measurements import Measurement, Measurements
from trainable.workload import workload_of

GPU_BYTES = 1000
SMALL = {"backbone/name": "test_efficientnet", "resize": "32x24", "optimizer/name": "adamw"}
LARGE = SMALL | {"resize": "64x48"}
WRONG = {"backbone/name": "no such model"}


def measured(config, needed_bytes, *, gpu="A", gpu_bytes=GPU_BYTES):
    workload = workload_of(parse_config(config), num_classes=3)
    return Measurement(workload, gpu, gpu_bytes, needed_bytes)


@pytest.fixture
def kept(tmp_path):
    return Measurements(tmp_path)


@pytest.fixture
def make(kept):
    """Return a function that makes what shares out so many GPUs among at most four trials each."""

    def make_packing(num_gpus=1, *, gpus=None, trials=()):
        resources = Resources(1, 0.25, 4 * num_gpus, None, per_gpu=4, num_gpus=num_gpus)
        gpus = {"A": GPU_BYTES} if gpus is None else gpus
        return Packing(resources, kept, num_classes=3, gpus=gpus, trials=trials)

    return make_packing


@pytest.mark.parametrize(
    ("needed_bytes", "share"),
    [(1, 0.25), (250, 0.25), (251, 0.3333), (334, 0.5), (500, 0.5), (501, 1), (9999, 1)],
)
def test_a_share_is_one_of_as_many_as_fit(make, kept, needed_bytes, share):
    kept.write(measured(SMALL, needed_bytes))
    assert make().give(0, SMALL) == share


def test_what_has_not_been_measured_or_is_wrong_begins_with_the_smallest_share(make):
    packing = make()
    assert (packing.give(0, LARGE), packing.give(1, WRONG)) == (0.25, 0.25)


def test_a_trial_that_needs_more_gets_more_and_the_next_ones_at_once(make):
    packing = make()
    packing.give(0, LARGE)
    assert packing.learn(0, measured(LARGE, 400), ran_out=False) == 0.5
    assert packing.learn(0, measured(LARGE, 400), ran_out=False) is None
    packing.free(0)
    assert packing.give(1, LARGE) == 0.5
    assert packing.give(2, SMALL) == 0.25


def test_whatever_was_measured_a_trial_that_has_run_out_gets_more(make):
    packing = make()
    packing.give(0, SMALL)
    too_low = measured(SMALL, 10)
    assert packing.learn(0, too_low, ran_out=True) == 0.3333
    assert packing.learn(0, too_low, ran_out=True) == 0.5
    assert packing.learn(0, too_low, ran_out=True) == 1


def test_trials_begin_while_the_smallest_share_is_free(make, kept):
    kept.write(measured(LARGE, 400))
    packing = make()
    packing.give(0, SMALL), packing.give(1, LARGE)
    assert packing.has_room
    packing.give(2, LARGE)  # waits
    assert not packing.has_room
    packing.free(1)
    assert packing.has_room
    packing.give(3, SMALL)
    assert not packing.has_room


def test_a_trial_that_grows_waits_and_is_not_overtaken(make):
    packing = make(2)
    for number in range(6):
        packing.give(number, SMALL)
    packing.learn(0, measured(SMALL, 1000), ran_out=False)
    assert not packing.has_room


def test_shares_are_those_of_the_smallest_gpu_known(make, kept):
    packing = make(2, gpus={})
    packing.give(0, SMALL)
    assert packing.learn(0, measured(SMALL, 240, gpu="big", gpu_bytes=1000), ran_out=False) is None
    packing.give(1, SMALL)
    assert packing.learn(1, measured(SMALL, 240, gpu="old", gpu_bytes=500), ran_out=False) == 0.5


def test_what_the_study_says_is_known_without_any_cache(make):
    facts = measured(LARGE, 400).facts()
    trial = create_trial(value=1.0, user_attrs={MEASURED: facts})
    assert make(trials=[trial, create_trial(value=1.0)]).give(7, LARGE) == 0.5


def test_measurements_of_this_kind_of_gpu_count_and_not_of_others(make, kept):
    kept.write(replace(measured(SMALL, 400), gpu="B"))
    assert make().give(0, SMALL) == 0.25


def test_a_space_is_described_by_what_its_workloads_need(make, kept):
    kept.write(measured(LARGE, 400))
    flat = [config | {"seed": seed} for config in (SMALL, LARGE) for seed in (1, 2)]
    needs, others = make().describe([parse_config(config) for config in flat])
    assert needs.startswith("1/2 of a GPU (0.00 GiB): test_efficientnet, linear head, 64x48, ")
    assert others == "1 workload is measured as its first trial begins, with 1/4 of a GPU."

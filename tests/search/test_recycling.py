"""A worker that says it should end is not given another trial, on a real Ray."""

import os
import sys

import pytest
import ray
from ray import tune
from ray.tune.result import DONE

from search.tune_adapters import end_with_trial

NUM_TRIALS = 3


class Numbered(tune.Trainable):
    """Says which process it runs in, and every other trial that it should end."""

    def setup(self, config):
        self.number = config["number"]

    def reset_config(self, new_config):
        self.number = new_config["number"]
        return True

    def save_checkpoint(self, checkpoint_dir):
        return None

    def load_checkpoint(self, checkpoint):
        return None

    def step(self):
        return {
            "number": self.number,
            "process": os.getpid(),
            "recycle": self.number % 2 == 1,
            DONE: True,
        }


class Recycling(tune.schedulers.FIFOScheduler):
    """As the search's own scheduler does."""

    def on_trial_complete(self, tune_controller, trial, result):
        if result["recycle"]:
            end_with_trial(tune_controller, trial)


@pytest.fixture
def one_worker():
    # Workers cannot import the tests.
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    ray.init(address="local", num_cpus=1, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


@pytest.mark.slow
def test_a_process_that_asks_to_end_gets_no_other_trial(one_worker, tmp_path):
    tuner = tune.Tuner(
        Numbered,
        param_space={"number": tune.grid_search(list(range(NUM_TRIALS)))},
        tune_config=tune.TuneConfig(scheduler=Recycling(), reuse_actors=True),
        run_config=tune.RunConfig(storage_path=str(tmp_path), verbose=0),
    )
    results = tuner.fit()
    assert not results.errors
    processes = {r.metrics["number"]: r.metrics["process"] for r in results}
    assert len(processes) == NUM_TRIALS
    assert processes[0] == processes[1] != processes[2]

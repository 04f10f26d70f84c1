"""A real search on a GPU that is simulated, shared by what each trial is measured to need."""

import pytest
from optuna.trial import TrialState

from trainable.config import parse_config
from trainable.measurements import Measurement, Measurements
from trainable.simulated_gpu import VARIABLE
from trainable.workload import workload_of

MIB = 2**20
SMALL, LARGE, MISJUDGED = (
    {"resize": "32x24", "optimizer/name": "adamw"},
    {"resize": "64x48", "optimizer/name": "adamw"},
    {"resize": "80x60", "optimizer/name": "sgd"},
)
SPACE = f"""
STARTS = [
    {{"backbone/name": "test_efficientnet", "batch_size": 16}} | start
    for start in ({SMALL}, {LARGE}, {MISJUDGED})
]
DEFAULTS = {{"trials": 3, "max_epochs": 2, "grace_period": 2}}

def space(trial):
    trial.suggest_categorical("backbone/name", ["test_efficientnet"])
    trial.suggest_categorical("batch_size", [16])
    trial.suggest_categorical("resize", ["32x24", "64x48", "80x60"])
    trial.suggest_categorical("optimizer/name", ["adamw", "sgd"])
"""


@pytest.mark.slow
def test_trials_get_the_share_that_they_need_also_after_memory_has_run_out(
    start, tmp_path, monkeypatch
):
    # A third of it suffices at 32x24, half of it at 64x48, and less does not at 80x60.
    monkeypatch.setenv(VARIABLE, "1x40MiB")
    config = {"backbone/name": "test_efficientnet", "batch_size": 16} | MISJUDGED
    workload = workload_of(parse_config(config), num_classes=3)
    too_low = Measurement(workload, "simulated GPU", 40 * MIB, 5 * MIB)
    Measurements(tmp_path / "cache").write(too_low)

    shared = ("--gpus-per-trial", "auto", "--cpus-per-trial", "0.5", "--max-concurrent", "4")
    search = start(*shared, space=SPACE)
    printed = search.finished()
    trials = search.trials()
    assert [trial.state for trial in trials] == [TrialState.COMPLETE] * 3, printed
    assert [trial.user_attrs["gpus"] for trial in trials] == [0.3333, 0.5, 1.0]
    for line in (
        "trial 0001: it was measured to need more than 0.3333 of a GPU; it goes on with 0.5",
        "trial 0002: memory has run out with 0.3333 of a GPU; it goes on with 1",
    ):
        assert line in printed
    assert all(len(curve) == 2 for curve in search.curves().values())
    assert all((curve["num_micro_batches"] == 1).all() for curve in search.curves().values())

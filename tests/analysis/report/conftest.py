"""Runs to report on: of any number of trials, without training them."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta

import numpy as np
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import TrialState, create_trial

from analysis.report.subject import Subject
from analysis.run_folder import RunFolder

EPOCHS = 9
LOSSES = CategoricalDistribution(["cross_entropy", "focal"])
START = datetime(2026, 1, 1)  # noqa: DTZ001 - as Optuna keeps it


@pytest.fixture
def subject_of(make_run) -> Callable[..., Subject]:
    """Return a function that makes the subject that a run of given trials is."""

    def make(trials, **options):
        return Subject.of(RunFolder(make_run("run", trials, **options)))

    return make


@pytest.fixture
def make_searched(tmp_path) -> Callable[[int], RunFolder]:
    """Return a function that makes a run in which only the learning rate and gamma matter.

    Writing thousands of trials with SQLite takes minutes: the trials are handed over.
    """

    def make(num_trials, *, num_idle=4):
        rng = np.random.default_rng(0)
        facts = {"metric": "val/f1", "mode": "max", "data": {"fingerprint": "0" * 16}}
        (tmp_path / "run.json").write_text(json.dumps(facts))
        run = RunFolder(tmp_path)
        run.__dict__["trials"] = tuple(_trial(n, rng, num_idle) for n in range(num_trials))
        return run

    return make


def _trial(number, rng, num_idle):
    spaces = {"optimizer/lr": FloatDistribution(1e-4, 1e-1, log=True), "loss/name": LOSSES}
    params = {
        "optimizer/lr": float(10 ** rng.uniform(-4, -1)),
        "loss/name": LOSSES.choices[rng.integers(2)],
    }
    if params["loss/name"] == "focal":
        spaces["loss/gamma"] = FloatDistribution(0, 5)
        params["loss/gamma"] = float(rng.uniform(0, 5))
    for idle in range(num_idle):
        spaces[f"idle/{idle}"] = FloatDistribution(0, 1)
        params[f"idle/{idle}"] = float(rng.uniform())
    distance = abs(np.log10(params["optimizer/lr"]) + 2) + 0.5 * params.get("loss/gamma", 0)
    final = 0.9 - 0.1 * distance + rng.normal(0, 0.005)
    is_pruned = number % 3 > 0
    num_epochs = 3 if is_pruned else EPOCHS
    curve = {epoch: float(final * epoch / (epoch + 1)) for epoch in range(1, num_epochs + 1)}
    trial = create_trial(
        state=TrialState.PRUNED if is_pruned else TrialState.COMPLETE,
        value=curve[num_epochs],
        params=params,
        distributions=spaces,
        intermediate_values=curve,
        user_attrs={"config": params | {"epochs": EPOCHS}, "seconds": 2.0 * num_epochs},
    )
    trial.number = number
    trial.datetime_complete = START + timedelta(seconds=number)
    return trial

"""A search is never lost: killed with SIGKILL again and again, it ends as if nobody had."""

import random
import struct
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import optuna
import pandas as pd
import pytest
from optuna.trial import TrialState
from tensorboardX.proto.event_pb2 import Event

from analysis.study_file import STUDY_FILE, read_trials
from trainable.tensorboard import tag
from trainable.trial_folder import trial_id

pytestmark = pytest.mark.slow

SPACE = """
def space(trial):
    trial.suggest_categorical("backbone/name", ["test_efficientnet"])
    trial.suggest_categorical("resize", ["64x48"])
    trial.suggest_categorical("optimizer/name", ["adamw"])
    trial.suggest_float("optimizer/lr", 1e-4, 1e-1, log=True)
"""
# So few trials that the sampler does not learn yet: their configurations do not depend on the
# order in which the others end.
OPTIONS = ["--trials", "8", "--max-epochs", "12", "--grace-period", "4", "--reduction-factor", "2"]
SPEED = ["seconds", "images_per_s"]


@pytest.fixture(scope="module")
def straight(start_once, running_ray) -> Path:
    """Return the run folder of a search with one worker that nothing has interrupted."""
    search = start_once(*OPTIONS, *running_ray, "--max-concurrent", "1", space=SPACE)
    search.finished()
    return search.run


@pytest.fixture
def go_on(start, tmp_path):
    """Return a function that starts the search, or goes on with it once there is a run folder."""

    def begin_or_go_on(*arguments):
        is_new = not (tmp_path / "runs" / "a").exists()
        return start(*(arguments if is_new else ()), space=SPACE, new=is_new)

    return begin_or_go_on


def kill_at(search, *, then_s: float, epochs: int = 0) -> None:
    """Kill a search with SIGKILL some time after it has written its folder and so many epochs."""
    search.wait_for(lambda: search.run.exists() and search.num_epochs() >= epochs)
    time.sleep(then_s)
    assert search.process.poll() is None, search.ended()
    search.process.kill()
    search.ended()


def measured(run: Path) -> dict[int, pd.DataFrame]:
    """Return what each trial measured in each epoch, but for how fast it was."""
    files = run.glob("trials/*/metrics.csv")
    tables = {int(file.parent.name): pd.read_csv(file) for file in files}
    return {number: table.drop(columns=SPEED) for number, table in tables.items()}


def times_trained(run: Path) -> dict[tuple[int, int], int]:
    """Return how often each (trial, epoch) has been trained to its end.

    Each process appends to an event file of its own, which nobody rewrites. One that goes on
    first writes the last epoch's row again, from the checkpoint. So what tells one training from
    another is how long it took: no two take the same time to seven digits.
    """
    took = {
        (int(file.parent.name), event.step, value.simple_value)
        for file in run.glob("trials/*/events.out.tfevents.*")
        for event in events_of(file.read_bytes())
        for value in event.summary.value
        if value.tag == tag("seconds")
    }
    return Counter((trial, epoch) for trial, epoch, _ in took)


def events_of(records: bytes) -> Iterator[Event]:
    """Yield the events of a TensorBoard file, the last of which may be cut off by a kill."""
    start = 0
    while len(records) - start > 12:
        (length,) = struct.unpack_from("<Q", records, start)
        if len(records) < start + 12 + length:
            return
        yield Event.FromString(records[start + 12 : start + 12 + length])
        start += 16 + length


def values_told(run: Path) -> dict[tuple[int, int], float]:
    """Return the value in the study of each (trial, epoch)."""
    return {
        (trial.number, epoch): value
        for trial in read_trials(run / STUDY_FILE)
        for epoch, value in trial.intermediate_values.items()
    }


def test_a_search_killed_ten_times_is_the_one_that_was_asked_for(go_on, straight, running_ray):
    chance, started_s, values = random.Random(0), time.monotonic(), {}
    for number in range(10):
        search = go_on(*OPTIONS, *running_ray)
        if number % 3 == 0:  # before the first trial, or before one goes on
            kill_at(search, then_s=chance.uniform(0, 2 * number / 3))
        else:
            kill_at(search, epochs=search.num_epochs() + 1, then_s=chance.random())
        told = values_told(search.run)
        assert values.items() <= told.items()
        values = told
    search = go_on()
    search.finished()
    lived_s = time.monotonic() - started_s

    assert values.items() <= values_told(search.run).items()
    trials = read_trials(search.run / STUDY_FILE)
    assert [trial.number for trial in trials] == list(range(8))
    assert sorted(pd.read_csv(search.run / "leaderboard.csv")["trial"]) == list(range(8))
    assert times_trained(search.run) == dict.fromkeys(values_told(search.run), 1)
    ours, theirs = measured(search.run), measured(straight)
    for trial, other in zip(trials, read_trials(straight / STUDY_FILE), strict=True):
        assert trial.user_attrs["config"] == other.user_attrs["config"]
        curve, uninterrupted = ours[trial.number], theirs[trial.number]
        ends = {TrialState.COMPLETE: (12,), TrialState.PRUNED: (4, 8)}[trial.state]
        assert len(curve) in ends
        assert curve["epoch"].tolist() == sorted(trial.intermediate_values)
        both = min(len(curve), len(uninterrupted))
        assert curve.head(both).equals(uninterrupted.head(both))
    storage = f"sqlite:///{search.run / STUDY_FILE}"
    worked_s = optuna.load_study(study_name="search", storage=storage).user_attrs["worked_s"]
    assert 0 < worked_s < lived_s


def test_a_search_with_one_worker_ends_with_the_bits_of_one_that_nobody_killed(
    go_on, straight, running_ray
):
    chance = random.Random(1)
    for _ in range(2):
        search = go_on(*OPTIONS, *running_ray, "--max-concurrent", "1")
        kill_at(search, epochs=search.num_epochs() + 1, then_s=2 * chance.random())
    search = go_on()
    search.finished()

    pairs = zip(
        read_trials(search.run / STUDY_FILE), read_trials(straight / STUDY_FILE), strict=True
    )
    for trial, other in pairs:
        assert (trial.state, trial.value, trial.params) == (other.state, other.value, other.params)
        assert trial.intermediate_values == other.intermediate_values
        ours, theirs = (at / "trials" / trial_id(trial.number) for at in (search.run, straight))
        assert read_bits(ours) == read_bits(theirs)
    tables, uninterrupted = measured(search.run), measured(straight)
    assert all(table.equals(uninterrupted[number]) for number, table in tables.items())
    assert times_trained(search.run) == dict.fromkeys(values_told(search.run), 1)


def read_bits(folder: Path) -> dict[str, bytes]:
    """Return the best epoch of a trial: its number, probabilities and weights, as they lie."""
    with np.load(folder / "val_probs.npz") as arrays:
        bits = {name: arrays[name].tobytes() for name in arrays}
    return bits | {"weights": (folder / "checkpoint" / "best.safetensors").read_bytes()}

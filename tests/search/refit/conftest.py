"""A search of two trained trials, and the training of what is asked for without Ray."""

import json
from collections.abc import Callable

import optuna
import pytest
from optuna.trial import TrialState, create_trial

from analysis.ensemble.__main__ import main as make_ensemble
from analysis.run_folder import RunFolder
from search.refit.books import RefitBooks
from trainable.config import parse_config
from trainable.data.prepared import write_data
from trainable.ray_trainable import TrainTrial
from trainable.trial import Trial
from trainable.trial_folder import TrialFolder

COMMON = {
    "backbone/name": "test_efficientnet",
    "backbone/pretrained": "small",
    "resize": "32x24",
    "optimizer/name": "sgd",
    "optimizer/lr": 0.01,
    "batch_size": 16,
    "epochs": 3,
}


@pytest.fixture(scope="session")
def run(tmp_path_factory, data) -> RunFolder:
    """Return a run of two trials, complete and stopped, with their soup as ``RUN/ensemble``."""
    path = tmp_path_factory.mktemp("runs") / "a"
    path.mkdir()
    facts = {"metric": "val/loss", "mode": "min", "data": write_data(path, data)}
    (path / "run.json").write_text(json.dumps(facts))
    study = optuna.create_study(study_name="search", storage=f"sqlite:///{path}/study.db")
    for number, state in enumerate((TrialState.COMPLETE, TrialState.PRUNED)):
        study.add_trial(trained(TrialFolder.of(path, number), data, number, state))
    soup = ["--method", "top_k", "--soup", "--max-members", "3", "--out", str(path / "ensemble")]
    assert make_ensemble([str(path), *soup]) == 0
    return RunFolder(path)


def trained(folder, data, number, state):
    """Train a trial and return what a search tells Optuna of it."""
    trial = Trial(parse_config(COMMON | {"seed": number}), data, folder.path)
    values = [trial.run_epoch()["val/loss"] for _ in range(3 - number)]
    trial.close()
    best = min(values)
    return create_trial(
        state=state,
        value=best if state is TrialState.COMPLETE else values[-1],
        intermediate_values=dict(enumerate(values, start=1)),
        user_attrs={"config": COMMON, "best_epoch": 1 + values.index(best)},
    )


class Witness:
    """Takes note of what a refit tells."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def started(self, job, epochs_done):
        self.lines.append(f"{job.name} begins after {epochs_done}")

    def epoch_done(self, job, epoch):
        self.lines.append(f"{job.name} epoch {epoch}")

    def ended(self, job, *, epochs, failed):
        self.lines.append(f"{job.name} ended after {epochs}{failed}")

    def note(self, text):
        self.lines.append(text)


@pytest.fixture
def witness() -> Witness:
    """Return an audience that takes note of what it is told."""
    return Witness()


@pytest.fixture
def train() -> Callable[..., RefitBooks]:
    """Return a function that trains what a work lacks, one network after the other."""

    def train_all(work, *, most_epochs=None, audience=None, changes=None):
        books = RefitBooks(work.jobs, audience or Witness(), max_concurrent=1)
        while not books.is_exhausted:
            suggestion = books.next_trial()
            told = {"number": suggestion.number, "config": suggestion.config | (changes or {})}
            machine = {"cpus": 1, "gpus": 0, "weights_dir": None}
            worker = TrainTrial(told | machine | dict(suggestion.settings))
            result, epochs = {}, 0
            while not result.get("done") and epochs != most_epochs:
                result, epochs = worker.step(), epochs + 1
                if "epoch" in result:
                    assert not books.epoch_done(suggestion.number, result)
            worker.cleanup()
            books.ended(suggestion.number, result, died=False)
        return books

    return train_all

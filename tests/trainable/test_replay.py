"""Training without a validation part must end as training with one did at its best epoch."""

from dataclasses import replace

import pandas as pd
import pytest
import torch

from trainable.checkpoint import load_weights
from trainable.objective import Objective
from trainable.replay import Replay
from trainable.trial import Trial
from trainable.trial_folder import TrialFolder


@pytest.fixture
def without_val(coloured):
    """Return the images whose validation part has become part of the test part."""
    table = coloured.index.table
    return replace(
        coloured,
        index=coloured.index.with_table(table.assign(part=table["part"].replace("val", "test"))),
    )


def trained(config, data, folder, *, epochs=None, objective=None):
    trial = Trial(config, data, folder, objective=objective)
    while not trial.finished and trial.progress.epoch != epochs:
        trial.run_epoch()
    trial.close()
    return trial


def curve(folder, metric="val/f1"):
    return pd.read_csv(TrialFolder(folder).metrics)[metric].tolist()


@pytest.mark.parametrize(
    "changes",
    [
        {"schedule__name": "plateau", "schedule__patience": 0.1, "optimizer__lr": 0.05},
        {"freeze__name": "melt", "freeze__after": "plateau", "freeze__share": 0.1},
        {"ema": 0.5, "cutmix__name": "cutmix", "augmentation__name": "base"},
    ],
    ids=["plateau", "melting on a plateau", "average of weights"],
)
@pytest.mark.parametrize("metric", ["val/f1", "val/loss"])
def test_on_the_same_images_it_ends_with_the_bits_of_the_best_epoch(
    config, coloured, without_val, tmp_path, changes, metric
):
    earlier = trained(config(**changes), coloured, tmp_path / "a", objective=Objective(metric))
    best = earlier.progress.best_epoch
    replay = Replay(metric, tuple(curve(tmp_path / "a", metric)[:best]))
    again = trained(config(**changes), without_val, tmp_path / "b", objective=replay)
    assert (again.progress.epoch, again.finished) == (best, "epochs")
    before, after = (load_weights(TrialFolder(tmp_path / n).best_weights) for n in "ab")
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_the_last_epoch_is_kept_whatever_the_earlier_curve(config, without_val, tmp_path):
    trained(config(), without_val, tmp_path / "a", objective=Replay("val/f1", (0.9, 0.1)))
    trained(config(), without_val, tmp_path / "b", objective=Replay("val/f1", (0.1, 0.9)))
    ends = [load_weights(TrialFolder(tmp_path / name).best_weights) for name in "ab"]
    assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])


def test_interrupted_after_an_epoch_it_ends_with_the_same_bits(config, without_val, tmp_path):
    replay = Replay("val/f1", (0.3, 0.2, 0.4))
    trained(config(), without_val, tmp_path / "straight", objective=replay)
    trained(config(), without_val, tmp_path / "resumed", epochs=1, objective=replay)
    trained(config(), without_val, tmp_path / "resumed", objective=replay)
    ends = [
        load_weights(TrialFolder(tmp_path / name).best_weights) for name in ("straight", "resumed")
    ]
    assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])
    assert len(curve(tmp_path / "resumed", "train/loss")) == 3


def test_nothing_is_recorded_of_a_validation_part_that_is_not_there(config, without_val, tmp_path):
    trained(config(), without_val, tmp_path, objective=Replay("val/f1", (0.5,)))
    columns = pd.read_csv(TrialFolder(tmp_path).metrics).columns
    assert [name for name in columns if name.startswith("val/")] == []
    probabilities, epoch = TrialFolder(tmp_path).read_probabilities()
    assert probabilities.shape == (0, 3)
    assert epoch == 1


def test_a_replay_follows_the_direction_of_its_metric():
    assert Replay("val/loss", (0.5,)).sign == -1
    assert Replay("val/f1", (0.5,)).sign == 1

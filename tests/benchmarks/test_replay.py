import numpy as np
import optuna
import pytest

from benchmarks.recorded_space import COLUMNS, configurations, nearest, trial_config
from benchmarks.replay import Curves, Suggested, replay
from benchmarks.search_methods import suggest
from trainable.config import parse_config


class InOrder:
    """Tries the configurations in their order, and stops each after so many epochs."""

    def __init__(self, *, stop_after: int) -> None:
        self.told: list[tuple[int, int, float]] = []
        self.num_finished = 0
        self._next = 0
        self._stop_after = stop_after

    def suggest(self) -> Suggested:
        number = self._next
        self._next += 1
        return Suggested(number, params_of(configurations()[number]))

    def epoch_done(self, number: int, epoch: int, value: float) -> bool:
        self.told.append((number, epoch, value))
        return epoch >= self._stop_after

    def finished(self, number: int, epoch: int, value: float) -> None:
        self.told.append((number, epoch, value))
        self.num_finished += 1


def params_of(configuration: tuple) -> dict:
    config = trial_config(configuration, num_epochs=9)
    return {name: value for name, value in config.items() if name not in ("epochs", "seed")}


def curves_of(value_of) -> Curves:
    return Curves({c: np.array(value_of(i), float) for i, c in enumerate(configurations())})


def test_there_are_288_configurations_and_each_is_one_that_a_trial_can_be_made_of():
    every = configurations()
    assert len(set(every)) == len(every) == 288
    for configuration in every:
        assert parse_config(trial_config(configuration, num_epochs=9)).epochs == 9


def test_a_configuration_is_nearest_to_itself():
    assert all(nearest(params_of(c)) == c for c in configurations())


def test_every_suggestion_of_the_space_stands_for_a_recorded_configuration():
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    suggested = {nearest(suggest(study.ask())) for _ in range(2_000)}
    assert suggested <= set(configurations())
    assert len(suggested) > 250


def test_a_search_spends_its_budget_to_the_epoch_and_knows_its_best_value():
    curves = curves_of(lambda i: [i / 1000, i / 1000, 0.5])
    best = replay(InOrder(stop_after=2), curves, num_workers=2, budget_epochs=11, seed=0)
    assert len(best) == 11
    # Two epochs a trial: the 11th is the first one of the sixth trial.
    assert best[-1] == pytest.approx(0.005)
    assert (np.diff(best) >= 0).all()


def test_a_trial_that_is_not_stopped_finishes_with_its_last_epoch():
    method = InOrder(stop_after=9)
    curves = curves_of(lambda i: [0.1, 0.2, 0.3])
    replay(method, curves, num_workers=1, budget_epochs=6, seed=0)
    assert method.num_finished == 2
    assert [(n, e) for n, e, _ in method.told] == [(n, e) for n in (0, 1) for e in (1, 2, 3)]


def test_workers_train_side_by_side():
    method = InOrder(stop_after=9)
    curves = curves_of(lambda i: [0.1] * 9)
    replay(method, curves, num_workers=3, budget_epochs=9, seed=0)
    assert {number for number, _, _ in method.told} == {0, 1, 2}


def test_curves_are_read_with_zeros_after_a_divergence(tmp_path):
    first = configurations()[0]
    key = ",".join("" if value is None else str(value) for value in first)
    file = tmp_path / "curves.csv"
    file.write_text(f"{','.join(COLUMNS)},epoch_1,epoch_2\n{key},0.25,\n")
    curves = Curves.read(file)
    assert curves.of(params_of(first)).tolist() == [0.25, 0.0]
    assert (len(curves), curves.num_epochs, curves.best) == (1, 2, 0.25)

import pytest
from optuna.storages import InMemoryStorage
from optuna.trial import TrialState

from search.ledger import HOPELESS_FAILURES, Ledger
from search.rungs import Rungs
from search.study import SearchStudy
from trainable.errors import SearchError
from trainable.objective import Objective
from trainable.trial_folder import TrialFolder


class Listener:
    """Keeps what it is told."""

    def __init__(self):
        self.started, self.epochs, self.ended, self.notes = [], [], [], []

    def trial_started(self, number, config):
        self.started.append(number)

    def epoch_reported(self, number, epoch, value, best):
        self.epochs.append((number, epoch, value, best))

    def trial_ended(self, number, state, *, reason, value, epochs):
        self.ended.append((number, state, reason, value, epochs))

    def note(self, text):
        self.notes.append(text)


@pytest.fixture
def make(tmp_path):
    """Return a function that opens the ledger of one run folder, as a new process would."""
    storage = InMemoryStorage()

    def open_ledger(*, num_trials=4, keep=2, rungs=(2,), metric="val/f1"):
        def suggest(trial):
            return {"optimizer/lr": trial.suggest_float("optimizer/lr", 0.1, 1.0)}

        objective = Objective(metric)
        study = SearchStudy(storage, objective=objective, suggest=suggest, seed=0)
        return Ledger(
            study,
            Rungs(rungs, reduction_factor=2),
            Listener(),
            run_folder=tmp_path,
            objective=objective,
            num_trials=num_trials,
            max_concurrent=2,
            keep_checkpoints=keep,
        )

    return open_ledger


def result(epoch, value, **more):
    return {"epoch": epoch, "val/f1": value, "finished": "", "failed": ""} | more


def run(ledger, values, *, finished="epochs"):
    """Run a trial as Tune does: the last result goes to ``ended`` alone."""
    number = ledger.next_trial().number
    folder = TrialFolder.of(ledger._run_folder, number)
    folder.checkpoint.mkdir(parents=True)
    folder.best_weights.write_bytes(b"weights")
    (folder.checkpoint / "last-00001").mkdir()
    rows = [{"epoch": e, "val/f1": v, "seconds": 2.0} for e, v in enumerate(values, start=1)]
    folder.write_metrics(rows)
    for epoch, value in enumerate(values[:-1], start=1):
        if ledger.epoch_done(number, result(epoch, value)):
            ledger.ended(number, result(epoch, value), died=False)
            return number
    ledger.ended(number, result(len(values), values[-1], finished=finished), died=False)
    return number


def states(ledger):
    return [trial.state for trial in ledger.study.trials]


def test_a_trial_that_ran_to_its_end_is_complete(make):
    ledger = make()
    run(ledger, [0.1, 0.5, 0.4])
    trial = ledger.study.trials[0]
    assert (trial.state, trial.value) == (TrialState.COMPLETE, 0.5)
    assert trial.user_attrs["seconds"] == 6.0
    assert ledger._audience.ended == [(0, "complete", "epochs", 0.5, 3)]


def test_a_trial_that_asha_stops_is_pruned_with_the_value_it_was_stopped_on(make):
    ledger = make()
    run(ledger, [0.1, 0.5, 0.6])
    run(ledger, [0.3, 0.2, 0.9])
    trial = ledger.study.trials[1]
    assert (trial.state, trial.value) == (TrialState.PRUNED, 0.2)
    assert trial.intermediate_values == {1: 0.3, 2: 0.2}
    assert trial.user_attrs["reason"] == "asha"


def test_rungs_compare_the_best_value_so_far(make):
    ledger = make()
    run(ledger, [0.1, 0.5, 0.6])
    run(ledger, [0.55, 0.2, 0.9])
    assert states(ledger)[1] == TrialState.COMPLETE


def test_a_failed_result_fails_the_trial_with_its_reason(make):
    ledger = make()
    number = ledger.next_trial().number
    ledger.ended(number, {"failed": "train/loss: nan", "finished": ""}, died=False)
    trial = ledger.study.trials[0]
    assert (trial.state, trial.user_attrs["reason"]) == (TrialState.FAIL, "train/loss: nan")


def test_a_dead_process_fails_the_trial_with_its_last_words(make, tmp_path):
    ledger = make()
    number = ledger.next_trial().number
    ledger.epoch_done(number, result(1, 0.3))
    TrialFolder.of(tmp_path, number).write_error("Traceback\n  somewhere\nOSError: disk full")
    ledger.ended(number, result(1, 0.3), died=True)
    assert ledger.study.trials[0].user_attrs["reason"] == "OSError: disk full"


def test_a_process_that_died_without_a_word_leaves_an_error_file(make, tmp_path):
    ledger = make()
    ledger.ended(ledger.next_trial().number, None, died=True)
    assert TrialFolder.of(tmp_path, 0).error.read_text() == "its process died\n"


def test_an_interrupted_trial_waits_and_is_handed_out_again(make):
    ledger = make(num_trials=2)
    number = ledger.next_trial().number
    ledger.epoch_done(number, result(1, 0.3))
    ledger.ended(number, result(1, 0.3), died=False)
    assert states(ledger) == [TrialState.WAITING]
    assert make(num_trials=2).next_trial().number == number


def test_what_nothing_runs_any_more_is_put_back(make):
    ledger = make()
    ledger.next_trial(), ledger.next_trial()
    ledger.put_back_running()
    assert states(ledger) == [TrialState.WAITING] * 2


def test_a_search_ends_with_exactly_the_trials_asked_for(make):
    ledger = make(num_trials=3)
    run(ledger, [0.1, 0.2])
    ledger.next_trial()
    ledger = make(num_trials=3)
    handed_out = []
    while not ledger.is_exhausted:
        handed_out.append(ledger.next_trial().number)
    assert handed_out == [1, 2]


def test_an_epoch_told_twice_is_recorded_once(make):
    ledger = make()
    number = ledger.next_trial().number
    ledger.epoch_done(number, result(1, 0.3))
    ledger.epoch_done(number, result(1, 0.3))
    assert len(ledger._audience.epochs) == 1


def test_epochs_written_but_not_recorded_before_a_kill_are_recorded(make, tmp_path):
    ledger = make(rungs=(2,))
    run(ledger, [0.5, 0.5, 0.6])
    number = ledger.next_trial().number
    ledger.epoch_done(number, result(1, 0.3))
    rows = [{"epoch": 1, "val/f1": 0.3}, {"epoch": 2, "val/f1": 0.4}]
    TrialFolder.of(tmp_path, number).write_metrics(rows)
    ledger = make(rungs=(2,))
    assert ledger.next_trial().number == number
    assert ledger.study.trials[number].intermediate_values == {1: 0.3, 2: 0.4}
    assert ledger._rungs.recorded == {2: {0: 0.5, number: 0.4}}


def test_only_the_best_trials_keep_their_weights(make, tmp_path):
    ledger = make(num_trials=9, keep=2, rungs=())
    for value in (0.3, 0.9, 0.1, 0.5):
        run(ledger, [value])
    kept = [n for n in range(4) if TrialFolder.of(tmp_path, n).best_weights.exists()]
    assert kept == [1, 3]
    assert not list(tmp_path.glob("trials/*/checkpoint/last-*"))
    assert all(TrialFolder.of(tmp_path, n).metrics.exists() for n in range(4))


def test_no_more_than_the_most_trials_run_at_a_time(make):
    ledger = make()
    ledger.next_trial()
    assert not ledger.is_full
    ledger.next_trial()
    assert ledger.is_full


def test_failures_one_after_the_other_end_the_search(make):
    ledger = make(num_trials=20)

    def fail():
        ledger.ended(ledger.next_trial().number, {"failed": "no GPU"}, died=False)

    for _ in range(HOPELESS_FAILURES - 1):
        fail()
    with pytest.raises(SearchError, match=r"trials: 5 failed one after the other.*no GPU"):
        fail()

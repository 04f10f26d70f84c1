import pytest
from optuna.storages import InMemoryStorage
from optuna.trial import TrialState

from search.failures import FEWEST_FAILURES
from search.ledger import Ledger
from search.schedulers.asha import Asha
from search.study import SearchStudy
from trainable.errors import ConfigError, SearchError
from trainable.objective import Objective
from trainable.ownership import NotOwnerError, Ownership
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

    def disk_used(self, num_bytes):
        self.num_bytes = num_bytes

    def note(self, text):
        self.notes.append(text)


@pytest.fixture
def make(tmp_path):
    """Return a function that opens the ledger of one run folder, as a new process would."""
    storage = InMemoryStorage()

    def make_ledger(**arguments):
        return open_ledger(tmp_path, storage, suggest_rate, **arguments)

    return make_ledger


def suggest_rate(trial):
    return {"optimizer/lr": trial.suggest_float("optimizer/lr", 0.1, 1.0)}


def open_ledger(
    run_folder, storage, suggest, *, num_trials=4, keep=2, rungs=(2,), max_failed_share=0.5
):
    objective = Objective()
    return Ledger(
        SearchStudy(storage, objective=objective, suggest=suggest, seed=0),
        Asha(rungs, reduction_factor=2),
        Listener(),
        run_folder=run_folder,
        objective=objective,
        num_trials=num_trials,
        max_concurrent=2,
        keep_checkpoints=keep,
        max_failed_share=max_failed_share,
    )


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


def write_rows(run_folder, number, values):
    rows = [{"epoch": e, "val/f1": v, "seconds": 1.0} for e, v in enumerate(values, start=1)]
    TrialFolder.of(run_folder, number).write_metrics(rows)


def test_epochs_written_but_not_recorded_before_a_kill_are_recorded(make, tmp_path):
    ledger = make()
    run(ledger, [0.5, 0.5, 0.6])
    number = ledger.next_trial().number
    ledger.epoch_done(number, result(1, 0.3))
    write_rows(tmp_path, number, [0.3, 0.7])
    ledger = make()
    assert ledger.next_trial().number == number
    assert ledger.study.trials[number].intermediate_values == {1: 0.3, 2: 0.7}
    assert ledger._scheduler.curves[number] == {1: 0.3, 2: 0.7}


@pytest.mark.parametrize("was_told", [True, False])
def test_a_kill_at_a_rung_is_no_free_pass(make, tmp_path, was_told):
    ledger = make(num_trials=3)
    run(ledger, [0.5, 0.5, 0.6])
    number = ledger.next_trial().number
    ledger.epoch_done(number, result(1, 0.3))
    if was_told:
        ledger.epoch_done(number, result(2, 0.4))
    write_rows(tmp_path, number, [0.3, 0.4])
    ledger = make(num_trials=3)
    assert ledger.next_trial() is None
    assert states(ledger)[number] == TrialState.PRUNED
    assert ledger.study.trials[number].value == 0.4
    assert ledger.next_trial().number == 2


def test_a_trial_that_passed_its_rung_before_a_kill_goes_on(make):
    ledger = make(rungs=(2, 4))
    run(ledger, [0.5, 0.5, 0.6])
    number = ledger.next_trial().number
    for epoch, value in enumerate([0.4, 0.6, 0.1], start=1):
        ledger.epoch_done(number, result(epoch, value))
    ledger = make(rungs=(2, 4))
    assert ledger.next_trial().number == number
    assert ledger._scheduler.curves[number] == {1: 0.4, 2: 0.6, 3: 0.1}


@pytest.mark.parametrize("told", [1, 2])
def test_what_a_trial_passed_before_a_kill_is_not_decided_again(make, tmp_path, told):
    ledger = make(num_trials=3)
    better, first = ledger.next_trial().number, ledger.next_trial().number
    values = [0.1, 0.1, 0.2]  # it was the first at its rung, and went on
    for epoch, value in enumerate(values[:told], start=1):
        ledger.epoch_done(first, result(epoch, value))
    for epoch in (1, 2):
        ledger.epoch_done(better, result(epoch, 0.5))
    write_rows(tmp_path, first, values)
    ledger = make(num_trials=3)
    assert [ledger.next_trial().number for _ in range(2)] == [better, first]
    assert ledger._scheduler.curves[first] == dict(enumerate(values, start=1))
    assert ledger.study.trials[first].intermediate_values == dict(enumerate(values, start=1))


def test_an_epoch_whose_result_was_lost_with_a_worker_is_recorded(make, tmp_path):
    ledger = make()
    run(ledger, [0.5, 0.5, 0.6])
    number = ledger.next_trial().number
    ledger.epoch_done(number, result(1, 0.7))
    write_rows(tmp_path, number, [0.7, 0.8, 0.75])
    ledger.epoch_done(number, result(3, 0.75))
    assert ledger.study.trials[number].intermediate_values == {1: 0.7, 2: 0.8, 3: 0.75}
    assert ledger._scheduler.curves[number] == {1: 0.7, 2: 0.8, 3: 0.75}


def test_half_written_files_of_a_killed_process_are_swept_away(make, tmp_path):
    checkpoint = TrialFolder.of(tmp_path, 0).checkpoint
    (checkpoint / ".last-00002-abc").mkdir(parents=True)
    (checkpoint / ".best-def.safetensors").write_bytes(b"x")
    make()
    assert list(checkpoint.iterdir()) == []


def test_only_the_best_trials_keep_their_weights(make, tmp_path):
    ledger = make(num_trials=9, keep=2, rungs=())
    for value in (0.3, 0.9, 0.1, 0.5):
        run(ledger, [value])
    kept = [n for n in range(4) if TrialFolder.of(tmp_path, n).best_weights.exists()]
    assert kept == [1, 3]
    assert not list(tmp_path.glob("trials/*/checkpoint/last-*"))
    assert all(TrialFolder.of(tmp_path, n).metrics.exists() for n in range(4))


def weights_left(run_folder):
    return [n for n in range(9) if TrialFolder.of(run_folder, n).best_weights.exists()]


def test_of_equally_good_trials_the_earlier_keep_their_weights_and_pruned_ones_count(
    make, tmp_path
):
    ledger = make(num_trials=9, keep=2)
    run(ledger, [0.5, 0.6, 0.4])
    run(ledger, [0.5, 0.5, 0.9])
    assert weights_left(tmp_path) == [0, 1]
    run(ledger, [0.5, 0.6, 0.6])
    assert states(ledger) == [TrialState.COMPLETE, TrialState.PRUNED, TrialState.COMPLETE]
    assert weights_left(tmp_path) == [0, 2]


def test_a_smaller_number_of_kept_weights_holds_when_the_search_goes_on(make, tmp_path):
    ledger = make(num_trials=4, keep=4, rungs=())
    for value in (0.3, 0.9, 0.1, 0.5):
        run(ledger, [value])
    make(num_trials=4, keep=4, rungs=())
    assert weights_left(tmp_path) == [0, 1, 2, 3]
    make(num_trials=4, keep=1, rungs=())
    assert weights_left(tmp_path) == [1]


def test_a_larger_number_of_kept_weights_holds_from_then_on(make, tmp_path):
    ledger = make(num_trials=3, keep=1, rungs=())
    for value in (0.3, 0.9, 0.1):
        run(ledger, [value])
    ledger = make(num_trials=5, keep=3, rungs=())
    assert weights_left(tmp_path) == [1]
    run(ledger, [0.2])
    run(ledger, [0.4])
    assert weights_left(tmp_path) == [1, 4]


def test_the_size_on_disk_is_that_of_the_trials_folders(make, tmp_path):
    ledger = make(num_trials=9, keep=1, rungs=())
    for value in (0.3, 0.9):
        run(ledger, [value])
    size = sum(p.stat().st_size for p in tmp_path.glob("trials/**/*") if p.is_file())
    assert ledger._audience.num_bytes == size > 0
    assert make(num_trials=9, keep=1, rungs=())._audience.num_bytes == size


def test_no_more_than_the_most_trials_run_at_a_time(make):
    ledger = make()
    ledger.next_trial()
    assert not ledger.is_full
    ledger.next_trial()
    assert ledger.is_full


def fail(ledger, reason="no GPU"):
    ledger.ended(ledger.next_trial().number, {"failed": reason}, died=False)


def test_a_search_of_nothing_but_failures_ends(make):
    ledger = make(num_trials=20)
    for _ in range(FEWEST_FAILURES - 1):
        fail(ledger)
    message = (
        r"trials: expected at most 50% to fail \(--max-failed-share\), got 5 of 5. "
        r"0000, 0001, 0002, 0003, 0004: no GPU.$"
    )
    with pytest.raises(SearchError, match=message):
        fail(ledger)


def test_a_share_of_failures_that_is_allowed_does_not_end_the_search(make):
    ledger = make(num_trials=40, rungs=(), max_failed_share=0.75)
    for value in (0.5, 0.6):
        run(ledger, [value])
    for _ in range(6):
        fail(ledger)
    with pytest.raises(SearchError, match=r"at most 75% to fail .* got 7 of 9"):
        fail(ledger)


def test_trials_that_still_run_count_among_those_begun(make):
    ledger = make(num_trials=40)
    for _ in range(FEWEST_FAILURES):
        ledger.next_trial()
    for _ in range(FEWEST_FAILURES):
        fail(ledger)
    assert not ledger.is_exhausted


def test_failures_of_an_earlier_process_do_not_end_the_search(make):
    ledger = make(num_trials=20)
    for _ in range(FEWEST_FAILURES - 1):
        fail(ledger)
    ledger = make(num_trials=20)
    for _ in range(FEWEST_FAILURES - 1):
        fail(ledger)
    with pytest.raises(SearchError, match="got 5 of 5"):
        fail(ledger)


def suggest_optimizer(trial):
    names = ["adamw", "sgd"]
    return {"optimizer/name": trial.suggest_categorical("optimizer/name", names)}


@pytest.fixture
def where_sgd_fails(tmp_path):
    """Return a function that runs trials of which those with SGD fail; it returns the ledger."""
    storage = InMemoryStorage()

    def run_trials(*, num_trials, max_failed_share=1.0):
        ledger = open_ledger(
            tmp_path,
            storage,
            suggest_optimizer,
            num_trials=num_trials,
            rungs=(),
            max_failed_share=max_failed_share,
        )
        while not ledger.is_exhausted:
            suggestion = ledger.next_trial()
            if suggestion.config["optimizer/name"] == "sgd":
                reason = f"train/loss: expected a number, got nan in epoch {suggestion.number}."
                ledger.ended(suggestion.number, {"failed": reason}, died=False)
            else:
                done = result(1, 0.5, finished="epochs")
                TrialFolder.of(tmp_path, suggestion.number).write_metrics([done | {"seconds": 1}])
                ledger.ended(suggestion.number, done, died=False)
        return ledger

    return run_trials


def test_a_choice_that_always_fails_is_not_suggested_any_more(where_sgd_fails):
    ledger = where_sgd_fails(num_trials=40)
    drawn = [trial.params["optimizer/name"] for trial in ledger.study.trials]
    assert 4 <= drawn.count("sgd") <= 8
    assert len(drawn) == 40
    last = max(number for number, name in enumerate(drawn) if name == "sgd")
    [note] = ledger._audience.notes
    assert note.startswith("optimizer/name=sgd (")
    assert note.endswith("): not suggested any more")
    assert "of the others 0 of" in note
    assert last < 20


def test_what_is_avoided_stays_avoided_when_the_search_goes_on(where_sgd_fails):
    straight = where_sgd_fails(num_trials=30)
    assert len(straight._audience.notes) == 1
    extended = where_sgd_fails(num_trials=40)
    drawn = [trial.params["optimizer/name"] for trial in extended.study.trials[30:]]
    assert drawn == ["adamw"] * 10


def test_too_many_failures_say_what_is_common_to_them(where_sgd_fails, monkeypatch):
    monkeypatch.setattr("search.failures.FEWEST_TO_AVOID", 100)
    message = (
        r"got \d+ of \d+\. 0.*: train/loss: expected a number, got nan in "
        r"epoch \d+\. Common to them: optimizer/name=sgd \((\d+) of \1 failed, of the others "
        r"0 of \d+\)\.$"
    )
    with pytest.raises(SearchError, match=message):
        where_sgd_fails(num_trials=60, max_failed_share=0.2)


def test_a_hung_trial_says_so_while_it_is_tried_again_and_when_it_fails(make, tmp_path):
    ledger = make()
    number = ledger.next_trial().number
    ledger.hung(number, 31.0)
    ledger.tried_again(number)
    note = "trial 0000: hung: no epoch in 31 s; it is tried again from its last epoch"
    assert ledger._audience.notes == [note]
    ledger.ended(number, None, died=True)
    assert ledger.study.trials[0].user_attrs["reason"] == "hung: no epoch in 31 s"
    assert TrialFolder.of(tmp_path, number).error.read_text() == "hung: no epoch in 31 s\n"


def test_a_worker_that_outlived_its_search_owns_no_trial_any_more(make, tmp_path):
    ledger = make()
    number = ledger.next_trial().number
    worker = Ownership(TrialFolder.of(tmp_path, number).path)
    worker.check()
    make()
    with pytest.raises(NotOwnerError, match="or nobody's"):
        worker.check()


def test_a_trial_that_has_ended_belongs_to_no_worker(make, tmp_path):
    ledger = make()
    number = ledger.next_trial().number
    worker = Ownership(TrialFolder.of(tmp_path, number).path)
    ledger.ended(number, {"failed": "no GPU"}, died=False)
    with pytest.raises(NotOwnerError, match="or nobody's"):
        worker.check()


def test_a_failed_trial_keeps_no_weights(make, tmp_path):
    ledger = make()
    checkpoint = TrialFolder.of(tmp_path, 0).checkpoint
    checkpoint.mkdir(parents=True)
    (checkpoint / "best.safetensors").write_bytes(b"x")
    fail(ledger)
    assert not checkpoint.exists()


def test_what_no_other_trial_would_do_better_ends_the_search(make):
    ledger = make()
    number = ledger.next_trial().number
    with pytest.raises(SearchError, match="cache: disk full"):
        ledger.ended(number, {"failed": "cache: disk full", "stop_search": True}, died=False)
    assert states(ledger) == [TrialState.WAITING]


def test_a_space_that_fails_for_one_trial_fails_that_trial(tmp_path):
    def suggest(trial):
        if trial.number == 0:
            raise ConfigError("space.py:3: expected a configuration, got KeyError: 'x'.")
        return {"optimizer/lr": trial.suggest_float("optimizer/lr", 0.1, 1.0)}

    storage = InMemoryStorage()
    ledger = open_ledger(tmp_path, storage, suggest)
    assert ledger.next_trial() is None
    assert ledger.next_trial().number == 1
    again = open_ledger(tmp_path, storage, suggest)
    assert states(again) == [TrialState.FAIL, TrialState.WAITING]
    assert "KeyError" in again.study.trials[0].user_attrs["reason"]


def test_the_time_worked_is_noted_within_a_long_trial(make, monkeypatch):
    monkeypatch.setattr("search.ledger.NOTE_WORKED_EVERY_S", 0.0)
    ledger = make()
    number = ledger.next_trial().number
    ledger.epoch_done(number, result(1, 0.3))
    assert ledger.study.noted("worked_s") > 0


def test_the_time_worked_goes_on_in_the_next_process(make, monkeypatch):
    monkeypatch.setattr("search.ledger.NOTE_WORKED_EVERY_S", 0.0)
    ledger = make()
    run(ledger, [0.5])
    assert 0 < ledger.study.noted("worked_s") <= ledger.worked_s
    assert make().worked_s >= ledger.study.noted("worked_s")


def test_what_a_trial_notes_is_told(make):
    ledger = make()
    number = ledger.next_trial().number
    ledger.epoch_done(number, result(1, 0.5, note="its last checkpoint is damaged."))
    assert ledger._audience.notes == ["trial 0000: its last checkpoint is damaged."]


def test_a_trial_that_warms_up_is_not_stopped_and_compared_once_it_has(tmp_path):
    def suggest(trial):
        trial.suggest_float("optimizer/lr", 0.1, 1.0)
        warms_up = {"schedule/name": "warmup", "schedule/share": 0.4} if trial.number else {}
        return {"backbone/name": "test_resnet", "epochs": 10, **warms_up}

    storage = InMemoryStorage()
    ledger = open_ledger(tmp_path, storage, suggest)
    run(ledger, [0.1, 0.5, 0.6])
    number = ledger.next_trial().number
    assert not any(ledger.epoch_done(number, result(epoch, 0.1)) for epoch in (1, 2, 3))
    ledger = open_ledger(tmp_path, storage, suggest)
    assert ledger.next_trial().number == number
    assert ledger.epoch_done(number, result(4, 0.4))
    # What it had at the rung while it warmed up lets no poor trial pass.
    ledger = open_ledger(tmp_path, storage, lambda trial: {"backbone/name": "test_resnet"})
    ledger.study.put_back_orphans()
    assert ledger.next_trial() is None
    other = ledger.next_trial().number
    ledger.epoch_done(other, result(1, 0.3))
    assert ledger.epoch_done(other, result(2, 0.3))

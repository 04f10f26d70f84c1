import optuna
import pytest
from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import RDBStorage
from optuna.study import StudyDirection
from optuna.trial import TrialState

from search.study_record import StudyRecord


@pytest.fixture
def storage(tmp_path):
    return RDBStorage(f"sqlite:///{tmp_path}/study.db")


def record_on(storage, **clock):
    return StudyRecord(storage, name="search", direction=StudyDirection.MAXIMIZE, **clock)


def begun(record, study):
    """Have a trial of the copy in memory begin, and return it."""
    trial = study.ask()
    trial.suggest_categorical("loss/name", ["focal", "f1"])
    trial.suggest_float("optimizer/lr", 1e-4, 1e-1, log=True)
    trial.suggest_int("epochs", 2, 8, step=2)
    trial.set_user_attr("config", {"epochs": 4})
    frozen = study.get_trials(deepcopy=False)[trial.number]
    record.begin(frozen)
    return frozen


def written(storage):
    return optuna.load_study(study_name="search", storage=storage).trials


def test_a_trial_that_begins_is_written_with_all_that_it_begins_with(storage):
    record = record_on(storage)
    begun_trial = begun(record, record.in_memory())
    [trial] = written(storage)
    assert trial.state is TrialState.RUNNING
    assert trial.params == begun_trial.params
    assert trial.distributions == begun_trial.distributions
    assert trial.user_attrs == {"config": {"epochs": 4}}
    assert trial.datetime_start == begun_trial.datetime_start


def test_the_copy_of_a_written_study_is_the_study_that_was_written(storage):
    record = record_on(storage)
    study = record.in_memory()
    first, second = (begun(record, study) for _ in range(2))
    record.report(first.number, epoch=1, value=0.25)
    record.put_back(second.number)
    copied = record_on(storage).in_memory().trials
    assert [t.state for t in copied] == [TrialState.RUNNING, TrialState.WAITING]
    assert [t.params for t in copied] == [first.params, second.params]
    assert copied[0].intermediate_values == {1: 0.25}


def test_of_a_trial_that_was_cut_off_before_it_had_a_configuration_the_rest_is_written(storage):
    record_on(storage)
    cut_off = optuna.load_study(study_name="search", storage=storage).ask()
    rate = cut_off.suggest_float("optimizer/lr", 1e-4, 1e-1, log=True)
    record = record_on(storage)
    record.put_back(0)
    trial = begun(record, record_on(storage).in_memory())
    [again] = written(storage)
    assert again.state is TrialState.RUNNING
    assert again.params == trial.params
    assert again.params["optimizer/lr"] == rate
    assert again.user_attrs == {"config": {"epochs": 4}}


def test_a_trial_that_ended_is_written_with_its_value_and_notes(storage):
    record = record_on(storage)
    study = record.in_memory()
    trial = begun(record, study)
    told = study.tell(trial.number, 0.5)
    record.end(told, {"reason": "epochs", "seconds": 1.5})
    [ended] = written(storage)
    assert (ended.state, ended.value) == (TrialState.COMPLETE, 0.5)
    assert ended.datetime_complete == told.datetime_complete
    assert ended.user_attrs == {"config": {"epochs": 4}, "reason": "epochs", "seconds": 1.5}


def test_a_trial_that_failed_has_no_value(storage):
    record = record_on(storage)
    study = record.in_memory()
    trial = begun(record, study)
    record.end(study.tell(trial.number, state=TrialState.FAIL), {"reason": "memory"})
    [ended] = written(storage)
    assert (ended.state, ended.value) == (TrialState.FAIL, None)


def test_an_ended_trial_is_not_written_again(storage):
    record = record_on(storage)
    study = record.in_memory()
    told = study.tell(begun(record, study).number, 0.5)
    record.end(told, {"reason": "epochs"})
    with pytest.raises(UpdateFinishedTrialError, match="already finished"):
        record.end(told, {"reason": "other"})
    assert written(storage)[0].user_attrs["reason"] == "epochs"


def test_while_trials_run_no_trial_is_read(storage, monkeypatch):
    record = record_on(storage)
    study = record.in_memory()

    def read(*args, **kwargs):
        pytest.fail("read")

    monkeypatch.setattr(RDBStorage, "_get_trials", read)
    trial = begun(record, study)
    record.report(trial.number, epoch=1, value=0.5)
    record.end(study.tell(trial.number, 0.5), {"reason": "epochs"})


class Clock:
    """Seconds that pass when told to."""

    now_s = 100.0

    def __call__(self):
        return self.now_s


def test_values_within_a_second_are_written_together(storage):
    clock = Clock()
    record = record_on(storage, clock=clock)
    number = begun(record, record.in_memory()).number
    clock.now_s += 1.5
    for epoch, value in enumerate((0.25, float("nan"), float("inf")), start=1):
        record.report(number, epoch=epoch, value=value)
    assert written(storage)[0].intermediate_values == {1: 0.25}
    record.settle()
    assert written(storage)[0].intermediate_values == {1: 0.25}
    clock.now_s += 1.5
    record.settle()
    values = written(storage)[0].intermediate_values
    assert str(values) == "{1: 0.25, 2: nan, 3: inf}"


def test_what_was_left_is_written_with_the_end_of_a_trial_and_the_begin_of_another(storage):
    clock = Clock()
    record = record_on(storage, clock=clock)
    study = record.in_memory()
    first = begun(record, study)
    record.report(first.number, epoch=1, value=0.5)
    record.note_of(first.number, {"gpus": 0.25})
    record.end(study.tell(first.number, 0.5), {"reason": "epochs"})
    [ended] = written(storage)
    assert ended.intermediate_values == {1: 0.5}
    assert ended.user_attrs["gpus"] == 0.25
    record.note("worked_s", 2.5)
    assert record.noted("worked_s", 0.0) == 2.5
    second = begun(record, study)
    assert record_on(storage).noted("worked_s", 0.0) == 2.5
    record.report(second.number, epoch=1, value=0.1)
    record.note("worked_s", 3.5)
    record.put_back(second.number)
    again = record_on(storage)
    assert again.noted("worked_s", 0.0) == 3.5
    assert again.in_memory().trials[1].intermediate_values == {1: 0.1}


def test_what_could_not_be_written_is_written_later(storage, monkeypatch):
    clock = Clock()
    record = record_on(storage, clock=clock)
    number = begun(record, record.in_memory()).number
    clock.now_s += 1.5
    with monkeypatch.context() as broken:
        broken.setattr("search.study_record._row_of_value", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            record.report(number, epoch=1, value=0.5)
    record.close()
    assert written(storage)[0].intermediate_values == {1: 0.5}

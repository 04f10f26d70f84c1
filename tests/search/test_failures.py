import pytest

from search.failures import MachineRecord


@pytest.fixture
def record():
    """Return the record of two machines, of which ``good`` has done an epoch."""
    record = MachineRecord()
    record.succeeded("good")
    return record


def fail(record, machine, *numbers):
    for number in numbers:
        record.failed(machine, number)


def test_three_failures_in_a_row_of_two_trials_are_the_machines_fault(record):
    fail(record, "bad", 1, 1)
    assert record.to_avoid({"good", "bad"}) == ()
    fail(record, "bad", 2)
    assert record.to_avoid({"good", "bad"}) == ("bad",)
    assert record.num_failed("bad") == 3


def test_a_trial_that_fails_again_and_again_is_not_the_machines_fault(record):
    fail(record, "bad", 1, 1, 1, 1)
    assert record.to_avoid({"good", "bad"}) == ()


def test_an_epoch_done_clears_a_machine(record):
    fail(record, "bad", 1, 2)
    record.succeeded("bad")
    fail(record, "bad", 3, 4)
    assert record.to_avoid({"good", "bad"}) == ()


def test_where_no_machine_has_done_an_epoch_the_trials_may_be_at_fault():
    record = MachineRecord()
    fail(record, "a", 1, 2, 3)
    fail(record, "b", 4, 5, 6)
    assert record.to_avoid({"a", "b"}) == ()


def test_a_machine_that_was_good_can_turn_bad(record):
    record.succeeded("other")
    fail(record, "good", 1, 2, 3)
    assert record.to_avoid({"good", "other"}) == ("good",)


def test_machines_that_are_gone_neither_matter_nor_vouch_for_others(record):
    fail(record, "bad", 1, 2, 3)
    assert record.to_avoid({"bad"}) == ()
    assert record.to_avoid({"good"}) == ()

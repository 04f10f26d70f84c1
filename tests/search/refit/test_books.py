import pytest

from search.refit.books import RefitBooks
from search.refit.members import read_request
from search.refit.work import open_work
from trainable.errors import SearchError


@pytest.fixture
def work(run, data, tmp_path):
    return open_work(tmp_path, read_request([run], ["1"]), data, num_folds=2, seed=0)


@pytest.fixture
def books(work, witness):
    return RefitBooks(work.jobs, witness, max_concurrent=1)


def test_every_network_is_trained_once_and_told_of(work, train, witness):
    train(work, audience=witness)
    assert witness.lines[0] == "a/0001, fold 1 begins after 0"
    assert witness.lines[1] == "a/0001, fold 1 epoch 1"
    assert [line for line in witness.lines if "ended" in line] == [
        "a/0001, fold 1 ended after 3",
        "a/0001, fold 2 ended after 3",
    ]
    assert all(job.is_done for job in work.jobs)
    assert RefitBooks(work.jobs, witness, max_concurrent=1).is_exhausted


def test_interrupted_networks_go_on_from_their_last_epoch(work, train, witness):
    train(work, most_epochs=1)
    assert not any(job.is_done for job in work.jobs)
    train(work, audience=witness)
    assert "a/0001, fold 1 begins after 1" in witness.lines
    assert "a/0001, fold 1 epoch 1" not in witness.lines
    assert len(work.jobs[0].folder.read_metrics()) == 3


def test_a_network_that_cannot_be_trained_is_kept_with_its_reason(work, train):
    books = train(work, changes={"resize": "9x9", "batch_size": 1})
    assert list(books.failed) == ["a/0001, fold 1", "a/0001, fold 2"]
    assert "batch_size: expected" in books.failed["a/0001, fold 1"]
    assert not any(job.is_done for job in work.jobs)


def test_no_more_are_handed_out_than_may_be_trained_at_a_time(books):
    assert not books.is_full
    books.next_trial()
    assert books.is_full
    assert not books.is_exhausted


def test_a_process_that_died_too_often_fails_with_its_last_words(books, work):
    books.next_trial()
    work.jobs[0].folder.write_error("Traceback …\nSegmentation fault")
    books.ended(0, None, died=True)
    assert books.failed == {"a/0001, fold 1": "Segmentation fault"}


def test_what_no_other_network_could_do_better_ends_it_all(books):
    books.next_trial()
    full = {"failed": "disk: expected room to write, got 'full'.", "stop_search": True}
    with pytest.raises(SearchError, match="expected room to write"):
        books.ended(0, full, died=False)

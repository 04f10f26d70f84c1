import pytest

from trainable.ownership import OWNER_FILE, NotOwnerError, Ownership, end_ownership
from trainable.trial import Trial


def written(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_worker_that_opened_a_trial_last_owns_it(tmp_path):
    first, second = Ownership(tmp_path), Ownership(tmp_path)
    second.check()
    with pytest.raises(NotOwnerError, match="another worker's by now"):
        first.check()


def test_what_a_lost_worker_was_sending_goes_with_its_claim(tmp_path):
    Ownership(tmp_path)
    (tmp_path / ".sent-12345678" / "checkpoint").mkdir(parents=True)
    Ownership(tmp_path).check()
    assert [path.name for path in tmp_path.iterdir()] == [OWNER_FILE]


def test_what_a_search_has_taken_back_nobody_owns(tmp_path):
    owner = Ownership(tmp_path)
    end_ownership(tmp_path)
    with pytest.raises(NotOwnerError, match="or nobody's"):
        owner.check()
    end_ownership(tmp_path)


def test_an_epoch_that_ends_after_the_trial_was_given_away_leaves_no_trace(
    coloured, config, tmp_path
):
    trial = Trial(config(epochs=3), coloured, tmp_path)
    trial.run_epoch()
    Ownership(tmp_path)
    before = written(tmp_path)
    with pytest.raises(NotOwnerError, match="another worker's by now"):
        trial.run_epoch()
    assert written(tmp_path) == before

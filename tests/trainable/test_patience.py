"""How many epochs may pass without a new best value."""

import pytest

from trainable.patience import Patience


def test_patience_is_used_up_after_so_many_epochs_without_a_new_best():
    patience = Patience(2)
    seen = []
    for value in (0.5, 0.4, 0.6, 0.6, 0.5, 0.1):
        patience.update(value)
        seen.append(patience.is_used_up)
    assert seen == [False, False, False, False, True, True]


def test_restarting_keeps_the_best_value():
    patience = Patience(1)
    patience.update(0.5)
    patience.update(0.4)
    patience.restart()
    assert not patience.is_used_up
    patience.update(0.45)
    assert patience.is_used_up


def test_a_restored_patience_goes_on_where_it_was():
    patience, restored = Patience(2), Patience(2)
    patience.update(0.5)
    patience.update(0.4)
    restored.load_state_dict(patience.state_dict())
    restored.update(0.45)
    assert restored.is_used_up


@pytest.mark.parametrize(("share", "num_epochs"), [(0.1, 30), (0.01, 3), (1.0, 3)])
def test_a_share_of_the_epochs_is_rounded_and_never_none(share, num_epochs):
    assert Patience.of_share(share, num_epochs).num_epochs == max(1, round(share * num_epochs))


def test_no_patience_at_all_is_refused():
    with pytest.raises(ValueError, match="num_epochs: expected at least 1, got 0"):
        Patience(0)

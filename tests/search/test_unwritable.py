import errno
import sqlite3

import pytest
from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import OperationalError

from search.unwritable import worded
from trainable.errors import SearchError
from trainable.files import UnwritableError


def test_what_the_database_said_is_told_without_the_words_around_it():
    said = OperationalError("INSERT …", {}, sqlite3.OperationalError("database or disk is full"))
    message = r"^a/study.db: expected to be written to, got 'database or disk is full'\.$"
    with pytest.raises(SearchError, match=message), worded("a/study.db"):
        raise StorageInternalError("An exception is raised during the commit.") from said


def test_a_file_that_finds_no_room_is_named():
    message = r"^a/trials: expected room to write, got 'No space left on device'\.$"
    with pytest.raises(SearchError, match=message), worded("a/study.db"):
        raise UnwritableError(errno.ENOSPC, "No space left on device", "a/trials")


def test_other_errors_are_left_as_they_are():
    with pytest.raises(KeyError, match="other"), worded("a/study.db"):
        raise KeyError("other")

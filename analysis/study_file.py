"""Reads the trials of a study file without touching it, also while the search is writing it."""

import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path

from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial
from sqlalchemy.exc import DatabaseError

from trainable.errors import ConfigError, expected

STUDY_NAME = "search"
WAIT_FOR_WRITER_S = 30


def read_trials(path: Path) -> list[FrozenTrial]:
    """Return the trials of the study named ``search``, as they are at this moment.

    Args:
        path: An SQLite file that Optuna wrote.

    Raises:
        ConfigError: If the file is missing, damaged, not Optuna's, or has no such study.
    """
    if not path.is_file():
        raise ConfigError(expected(str(path), "the study of a search", "no such file"))
    try:
        return _read_in_place_or_copied(path)
    except DatabaseError as error:
        raise ConfigError(expected(str(path), "an Optuna study", f"'{error.orig}'")) from error
    except KeyError as error:
        problem = expected(str(path), f"a study named {STUDY_NAME!r}", "none")
        raise ConfigError(problem) from error


def _read_in_place_or_copied(path: Path) -> list[FrozenTrial]:
    try:
        return _read(lambda: _open_read_only(path))
    except DatabaseError as error:
        # A search that was killed while writing left a journal, which SQLite wants to undo.
        if "readonly" not in str(error.orig):
            raise
    with tempfile.TemporaryDirectory() as folder:
        for part in path.parent.glob(f"{path.name}*"):
            shutil.copyfile(part, Path(folder, part.name))
        return _read(lambda: sqlite3.connect(Path(folder, path.name), check_same_thread=False))


def _open_read_only(path: Path) -> sqlite3.Connection:
    uri = f"{path.resolve().as_uri()}?mode=ro"
    return sqlite3.connect(uri, uri=True, timeout=WAIT_FOR_WRITER_S, check_same_thread=False)


def _read(connect: Callable[[], sqlite3.Connection]) -> list[FrozenTrial]:
    storage = RDBStorage("sqlite://", engine_kwargs={"creator": connect})
    try:
        study_id = storage.get_study_id_from_name(STUDY_NAME)
        return storage.get_all_trials(study_id, deepcopy=False)
    finally:
        storage.remove_session()
        storage.engine.dispose()

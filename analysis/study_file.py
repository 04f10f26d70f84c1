"""Reads the trials of a study file without touching it, also while the search is writing it."""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial

from trainable.errors import ConfigError, expected

STUDY_NAME = "search"
STUDY_FILE = "study.db"
# What a search notes of each trial: hyperparameters, why it ended, time and best epoch.
CONFIG, REASON, SECONDS, BEST_EPOCH = "config", "reason", "seconds", "best_epoch"
# The GPUs, or the share of one, that it had, and what it was measured to need.
GPUS, MEASURED = "gpus", "measured"
# Seconds that a whole trial would take, as it was suggested, and that it took: those of a share of
# a GPU count as that share.
PREDICTED_SECONDS, DEVICE_SECONDS = "predicted_seconds", "device_seconds"
# Of a trial that another search has run, and this one's sampler learns from: RUN/ID.
FROM = "from"
WAIT_FOR_WRITER_S = 30


def read_trials(path: Path, *, name: str = STUDY_NAME) -> list[FrozenTrial]:
    """Return the search's own trials in a study, as they are at this moment.

    Args:
        path: An SQLite file that Optuna wrote.
        name: The study's name.

    Raises:
        ConfigError: If the file is missing, damaged, not Optuna's, or has no such study.
    """
    if not path.is_file():
        raise ConfigError(expected(str(path), "the study of a search", "no such file"))
    try:
        with closing(_snapshot(path)) as snapshot:
            return _trials_in(snapshot, name)
    except sqlite3.DatabaseError as error:
        raise ConfigError(expected(str(path), "an Optuna study", f"'{error}'")) from error
    except KeyError as error:
        problem = expected(str(path), f"a study named {name!r}", "none")
        raise ConfigError(problem) from error


def own_trials(trials: Iterable[FrozenTrial]) -> list[FrozenTrial]:
    """Return the trials of a study without those that were brought in from other searches."""
    return [trial for trial in trials if FROM not in trial.user_attrs]


def _snapshot(path: Path) -> sqlite3.Connection:
    """Return a copy in memory of the database as it was last committed."""
    try:
        return _in_memory(f"{path.resolve().as_uri()}?mode=ro")
    except sqlite3.OperationalError as error:
        # A search that was killed while writing left a journal, which SQLite wants to undo.
        if "readonly" not in str(error):
            raise
    with tempfile.TemporaryDirectory() as folder:
        for part in path.parent.glob(f"{path.name}*"):
            shutil.copyfile(part, Path(folder, part.name))
        return _in_memory(Path(folder, path.name).as_uri())


def _in_memory(uri: str) -> sqlite3.Connection:
    copy = sqlite3.connect(":memory:", check_same_thread=False)
    with closing(sqlite3.connect(uri, uri=True, timeout=WAIT_FOR_WRITER_S)) as file:
        file.backup(copy)
    [(verdict,), *_] = copy.execute("PRAGMA quick_check").fetchall()
    if verdict != "ok":
        raise sqlite3.DatabaseError(verdict)
    return copy


def _trials_in(database: sqlite3.Connection, name: str) -> list[FrozenTrial]:
    storage = RDBStorage("sqlite://", engine_kwargs={"creator": lambda: database})
    try:
        study_id = storage.get_study_id_from_name(name)
        return own_trials(storage.get_all_trials(study_id, deepcopy=False))
    finally:
        storage.remove_session()
        storage.engine.dispose()

"""Where the study of a run is kept: in its folder, or in a team's database."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from analysis.study_file import STUDY_FILE, STUDY_NAME, own_trials, read_trials
from trainable.errors import ConfigError, expected

PASSWORD_VARIABLE = "SEARCH_STORAGE_PASSWORD"  # noqa: S105 - where one may be
CONNECT_WITHIN_S = 10
SQLITE = "sqlite"


@dataclass(frozen=True)
class StudyPlace:
    """Where a study is.

    Args:
        storage: URL of a database, without a password; None for a file in the run folder.
        name: The study's name there.
    """

    storage: str | None = None
    name: str = STUDY_NAME

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> "StudyPlace":
        """Return the place that a run.json tells of."""
        return cls(**record.get("study", {}))

    def read(self, run_folder: Path) -> list[FrozenTrial]:
        """Return the search's own trials, as they are at this moment, and change nothing.

        Raises:
            ConfigError: If there is no such study, or its database does not answer.
        """
        if self.storage is None:
            return read_trials(run_folder / STUDY_FILE)
        url = make_url(self.storage)
        if url.get_backend_name() == SQLITE:
            return read_trials(Path(str(url.database)), name=self.name)
        check_storage(self.storage, path=str(run_folder))
        storage = self.open(run_folder, make_tables=False)
        try:
            study_id = storage.get_study_id_from_name(self.name)
            return own_trials(storage.get_all_trials(study_id, deepcopy=False))
        except (KeyError, SQLAlchemyError) as error:
            raise self.missing(run_folder) from error
        finally:
            storage.remove_session()
            storage.engine.dispose()

    def open(self, run_folder: Path, *, make_tables: bool = True) -> RDBStorage:
        """Return the storage, which optuna-dashboard can open while it is written."""
        if self.storage is None:
            return RDBStorage(f"sqlite:///{(run_folder / STUDY_FILE).resolve()}")
        url = _with_password(self.storage)
        # A server closes connections that are quiet for long, as they are in a long epoch.
        return RDBStorage(
            url.render_as_string(hide_password=False),
            engine_kwargs={"pool_pre_ping": True, "connect_args": _connect_arguments(url)},
            skip_table_creation=not make_tables,
            skip_compatibility_check=not make_tables,
        )

    def missing(self, run_folder: Path) -> ConfigError:
        """Return the error of a place that lacks the study."""
        where = self.storage or str(run_folder / STUDY_FILE)
        return ConfigError(expected(where, f"a study named {self.name!r}", "none"))


def without_password(given: str) -> str:
    """Return a database's URL without its password, which is put into the environment.

    There this process and those that it starts find it; nothing writes it down.

    Raises:
        ValueError: If it is no URL of a database that other processes can open.
    """
    try:
        url = make_url(given)
    except ArgumentError as error:
        raise ValueError("a database's URL, such as postgresql://user@host/name") from error
    if "password" in url.query:
        raise ValueError(f"no password after the ?; {PASSWORD_VARIABLE} may hold it")
    if url.get_backend_name() == SQLITE:
        if url.database in (None, "", ":memory:"):
            raise ValueError("a file, such as sqlite:///studies.db")
        url = url.set(database=str(Path(str(url.database)).absolute()))
    if url.password is not None:
        os.environ[PASSWORD_VARIABLE] = url.password
    return url._replace(password=None).render_as_string()


def check_storage(storage: str, *, path: str = "--storage") -> None:
    """Check that a database answers; write nothing to it.

    Args:
        storage: Its URL without a password.
        path: What to name in an error.

    Raises:
        ConfigError: If it does not.
    """
    url = _with_password(storage)
    try:
        _connect(url)
    except NoSuchModuleError as error:
        what = "a database of a known kind"
        got, remedy = url.get_backend_name(), "Known: postgresql, mysql, mariadb, sqlite."
        raise ConfigError(expected(path, what, got, remedy)) from error
    except ImportError as error:
        what = f"the driver of {url.drivername} to be installed"
        remedy = f"Try: pip install {error.name}"
        raise ConfigError(expected(path, what, f"'{error}'", remedy)) from error
    except (SQLAlchemyError, OSError) as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        remedy = f"A password may be in {PASSWORD_VARIABLE}." if url.username else ""
        what = f"a database at {storage}"
        raise ConfigError(expected(path, what, f"'{reason}'", remedy)) from error


def _connect(url: URL) -> None:
    if url.get_backend_name() == SQLITE and not Path(str(url.database)).exists():
        # Only opening it would make the file.
        if not os.access(Path(str(url.database)).parent, os.W_OK):
            raise PermissionError("no folder that can be written to")
        return
    engine = create_engine(url, connect_args=_connect_arguments(url))
    try:
        with engine.connect() as connection:
            # SQLite reads a file no sooner than it is asked for something in it.
            is_sqlite = url.get_backend_name() == SQLITE
            connection.execute(text("PRAGMA schema_version" if is_sqlite else "SELECT 1"))
    finally:
        engine.dispose()


def _with_password(storage: str) -> URL:
    url = make_url(storage)
    password = os.environ.get(PASSWORD_VARIABLE)
    return url.set(password=password) if password and url.username else url


def _connect_arguments(url: URL) -> dict[str, int]:
    return {} if url.get_backend_name() == SQLITE else {"connect_timeout": CONNECT_WITHIN_S}
